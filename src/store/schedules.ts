import type { Tick } from "../schema/tick";

/** A schedule as its consumer announces it. */
export interface NewSchedule {
  /** The consumer's queue. */
  readonly queue: string;
  /** Pattern of cron. */
  readonly pattern: string;
  /** Name of an IANA time zone. */
  readonly timeZone: string;
  /** For times that nobody was there for: `once` makes up for all of them with one event, `skip` for none. */
  readonly missed: "once" | "skip";
  /** True to publish an event although the one before it is not done. */
  readonly overlap: boolean;
}

export interface Schedule extends NewSchedule {
  /** Identifies the schedule. Never reused. */
  readonly number: number;
  /** Time of the consumer's last announcement, in milliseconds since 1970. */
  readonly announcedAt: number;
  /** Only later times count, in milliseconds since 1970: that of the last event, or of the announcement of a new pattern. */
  readonly since: number;
  /** The time whose event is being published. Null if none is. */
  readonly dueAt: number | null;
  /** The time of the last event. Null if there was none. */
  readonly lastAt: number | null;
  /** The id of the last event. Null if there was none. */
  readonly lastTick: string | null;
  /** True if the last event was handled or has become a dead letter, or there was none. */
  readonly isDone: boolean;
  /** True if that is noted for good. */
  readonly isSettled: boolean;
}

/** The schedules of consumers, each with the name of its queue. */
export interface Schedules {
  /** Adds a schedule, or notes that its consumer still has it. With a new pattern or time zone, times before now do not count. */
  announce(schedule: NewSchedule): Promise<void>;
  /** Resolves with the schedules, sorted by queue. */
  list(): Promise<Schedule[]>;
  find(queue: string): Promise<Schedule | undefined>;
  /** Removes a schedule. Resolves with false if there is none. */
  remove(queue: string): Promise<boolean>;
  /** Decides of which time an event is published next. Resolves with false if somebody else has decided it since the schedule was read. */
  aim(schedule: Schedule, dueAt: number): Promise<boolean>;
  /** Publishes the event of the time that was decided on, once, whoever calls it and however often, and notes it in the schedule. */
  tick(schedule: Schedule, dueAt: number): Promise<void>;
  /** Lets times after an earlier one count, since the clock was put back. */
  rewind(schedule: Schedule, since: number): Promise<void>;
  /** Notes for good that the last event is done. */
  settle(schedule: Schedule): Promise<void>;
}

/** Notes of events of schedules live so long, in milliseconds. Nobody needs them longer than a service may be away. */
const notesLiveMs = 7 * 24 * 60 * 60 * 1000;

/** Returns the idempotency key of the event of a schedule. */
export function tickOnce({ number }: Pick<Schedule, "number">, dueAt: number) {
  return noteOf(`tick ${number} ${dueAt}`);
}

/** Returns the idempotency key of the note that an event of a schedule is done. */
export function doneOnce(tick: string) {
  return noteOf(`${doneKeyPrefix}${tick}`);
}

export const doneKeyPrefix = "done ";

function noteOf(key: string) {
  return { key, part: 0, fingerprint: "", owner: null, livesMs: notesLiveMs } as const;
}

/** How long a schedule goes on that nobody announces, in milliseconds. */
export const abandonedAfterMs = 7 * 24 * 60 * 60 * 1000;

/** Returns what the event of a time says of its schedule. */
export function tickOf({ number: id, queue: name }: Schedule, dueAt: number): Tick["schedule"] {
  return { id, name, dueAt: new Date(dueAt).toISOString() };
}
