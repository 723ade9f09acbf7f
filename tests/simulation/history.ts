import { tickType } from "../../src/schema/tick-type";
import type { Jump } from "../chaos/acting/history";
import type { Files } from "./files";
import type { QueuePlan } from "./plan";
import type { World } from "./world";

/** Maximum number of events that come after the clock was set, and were decided on before it. */
const decided = 10;
/** The item of the events of a schedule. */
export const scheduled = -1;

export interface LoggedEvent {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly item: number;
  readonly version: number;
  /** Milliseconds since 1970, by the API's clock. */
  readonly at: number;
  readonly description: string | null;
  readonly actor: string | undefined;
  readonly cause: string | undefined;
  /** The tag of a timer that has become this event. */
  readonly tag: string | undefined;
  /** The time of a schedule that has become this event, in milliseconds since 1970. */
  readonly dueAt: number | undefined;
}

interface Body {
  /** Undefined for the event of a schedule. */
  readonly item?: { readonly version: number; readonly description: string | null };
  readonly schedule?: { readonly dueAt: string };
  readonly actor?: string;
  readonly cause?: string;
  readonly data?: { readonly tag?: string };
}

/** Record of the handlers of one queue and the outcome of its events. */
export class QueueHistory {
  readonly effects = new Map<string, number>();
  /** Events in the order of their effects. */
  readonly order: string[] = [];
  readonly failures = new Map<string, number>();
  /** Highest number of attempts on a safely stored copy, by event ID. */
  readonly parked = new Map<string, number>();
  /** Items with an event that failed for any reason. */
  readonly failed = new Set<number>();
  /** Number of deaths and lost connections of its processes. */
  interruptions = 0;
  replays = 0;
  forced = 0;

  constructor(readonly plan: QueuePlan) {}

  wants(type: string): boolean {
    if (this.plan.ticks || type === tickType) return this.plan.ticks && type === tickType;
    return !this.plan.events || (this.plan.events as readonly string[]).includes(type);
  }
}

/** Record of the responses to clients, of the log, and of the messages that are safe at the broker. */
export class History {
  /** Events in the order of their positions, which begin with 1. */
  readonly log: LoggedEvent[] = [];
  readonly #byId = new Map<string, LoggedEvent>();
  /** Changes with a successful response, such as `item.created 1 1`. */
  readonly acknowledged: string[] = [];
  readonly relayed = new Set<string>();
  readonly queues: ReadonlyMap<string, QueueHistory>;
  /** When the clock of the API was set. What it had decided on before may still come. */
  readonly jumps: Jump[] = [];
  /** Number of deaths and lost connections of the API. */
  apiInterruptions = 0;
  #relayedUpTo = 0;

  constructor(
    readonly world: World,
    readonly files: Files,
    plans: readonly QueuePlan[],
  ) {
    this.queues = new Map(plans.map((plan) => [plan.queue, new QueueHistory(plan)]));
  }

  /** Notes that the clock of the API is set now. */
  jump(): void {
    this.read();
    this.jumps.push({ from: this.end, to: this.end + decided });
  }

  get end(): number {
    return this.log.length;
  }

  /** Adds the events committed since the last call. */
  read(): void {
    for (const { position, id, type, subject, timestamp, body } of this.files.log(this.end)) {
      if (position !== this.end + 1) this.world.breach(`the log has position ${position} after ${this.end}`);
      const { item, actor, cause, data, schedule } = JSON.parse(body) as Body;
      const { version = 0, description = null } = item ?? {};
      const dueAt = schedule && Date.parse(schedule.dueAt);
      const event = {
        position,
        id,
        type,
        item: item ? subject : scheduled,
        version,
        dueAt,
        at: Date.parse(timestamp),
        description,
        actor,
        cause,
        tag: data?.tag,
      };
      this.log.push(event);
      this.#byId.set(id, event);
      this.world.note(`committed: ${nameOf(event)}`);
    }
  }

  /** Returns the event with this ID; undefined if it was never committed. */
  find(id: string): LoggedEvent | undefined {
    if (!this.#byId.has(id)) this.read();
    return this.#byId.get(id);
  }

  /** Checks that every event up to the relay's position is in a queue. */
  checkRelayed(position: number): void {
    if (position > this.end) this.read();
    for (; this.#relayedUpTo < Math.min(position, this.end); this.#relayedUpTo += 1) {
      const event = this.log[this.#relayedUpTo] as LoggedEvent;
      if (!this.relayed.has(event.id))
        this.world.breach(`the relay's position ${position} is ahead of ${nameOf(event)}, which is in no queue`);
    }
  }
}

/** Returns position, type, item and version, such as `#3 item.updated 1 v2`. */
export function nameOf({ position, type, item, version }: LoggedEvent): string {
  return `#${position} ${type} ${item} v${version}`;
}
