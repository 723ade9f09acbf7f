import type { Catalogue } from "../schema/catalogue";
import type { Tick } from "../schema/tick";
import { tickType } from "../schema/tick-type";
import type { NewSchedule } from "../store/schedules";
import { CronPattern } from "../timing/cron-pattern";
import { ConsumerError } from "./consumer-error";
import { checkQueueName } from "./queue-name";

/** The options that a consumer of events does not have. */
export interface NoSchedule {
  readonly schedule?: undefined;
  readonly timeZone?: undefined;
  readonly missed?: undefined;
  readonly overlap?: undefined;
}

/** Options of a consumer that is called at certain times, in place of events. */
export interface ScheduledOptions<Context> {
  /** Durable queue of this consumer's own. It names the schedule. */
  readonly queue: string;
  /**
   * When to call the handler, as a pattern of cron with five parts: minute, hour, day of the month, month, and day of the week. `0 9 * * 1-5`
   * is 9:00 from Monday to Friday; `@daily` and other names are known, too.
   */
  readonly schedule: string;
  /** Time zone of the schedule, such as `Europe/London`. Default: UTC. */
  readonly timeZone?: string;
  /**
   * What to do about times that the API was not there for: `once` calls the handler once for all of them, as soon as it is there again;
   * `skip` not at all. Default: `once`.
   */
  readonly missed?: "once" | "skip";
  /** True to publish the next event although the last one is not done. Default: false, so the handler is never called twice at a time. */
  readonly overlap?: boolean;
  /** Handles the event that the time has come. If it throws, the event is retried, like any other. */
  readonly handle: (tick: Tick, context: Context) => unknown;
  readonly events?: undefined;
  readonly versions?: undefined;
  readonly startFrom?: undefined;
  readonly handleBatch?: undefined;
  readonly batch?: undefined;
}

/** The event types of a consumer with a schedule. */
export const wantedTicks: ReadonlySet<string> = new Set([tickType]);

type Given = { readonly [Option in "queue" | "schedule" | "timeZone" | "missed" | "overlap" | "events" | "handleBatch"]?: unknown };

/**
 * Checks the schedule of a consumer. Returns undefined if it has none.
 *
 * @throws {ConsumerError} for an invalid option, alone or in combination.
 * @throws {TypeError} if the pattern or the time zone is not valid.
 */
export function resolveSchedule(options: Given, catalogue: Pick<Catalogue, "ownerOf">): NewSchedule | undefined {
  const { queue, schedule: pattern, timeZone = "UTC", missed = "once", overlap = false } = options;
  if (pattern === undefined) {
    const stray = (["timeZone", "missed", "overlap"] as const).find((option) => options[option] !== undefined);
    if (stray) throw new ConsumerError(`${stray} is for a consumer with a \`schedule\`, such as "0 9 * * 1"; add one, or omit it.`);
    return undefined;
  }
  if (options.events !== undefined) throw new ConsumerError("A consumer has either `events` or a `schedule`; use two consumers.");
  if (options.handleBatch !== undefined) throw new ConsumerError("The events of a `schedule` come one by one: use `handle`.");
  if (typeof queue !== "string") throw new ConsumerError('A `schedule` needs a `queue`, which names it, such as "daily-sales".');
  checkQueueName(queue);
  const owner = catalogue.ownerOf(queue);
  if (owner) throw new ConsumerError(`"${queue}" is the queue of ${owner.name} events; a \`schedule\` needs a queue of its own.`);
  if (missed !== "once" && missed !== "skip") throw new ConsumerError(`missed is "${missed}"; use "once" or "skip".`);
  if (typeof overlap !== "boolean") throw new ConsumerError(`overlap is ${overlap}; use true or false.`);
  const cron = new CronPattern(pattern as string, timeZone as string);
  return { queue, pattern: cron.pattern.trim(), timeZone: cron.timeZone, missed, overlap };
}
