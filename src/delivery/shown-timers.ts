import type { Timer, TimerQuery, TimerReads } from "../store/timers";

/** An event to publish later, as operators see it. */
export interface ShownTimer {
  /** Identifies the timer. */
  readonly number: number;
  /** Type of the event. */
  readonly type: string;
  /** The id of the record that the event is about. */
  readonly id: number;
  /** ISO 8601, in UTC. */
  readonly dueAt: string;
  readonly key: string | null;
  /** Data of the event. */
  readonly data: unknown;
  readonly actor: string | null;
  /** The id of the event whose handler set it. Null if no handler did. */
  readonly cause: string | null;
  /** Why it cannot be published. Null if nothing hinders it. */
  readonly problem: string | null;
}

export interface TimerPage {
  /** In the order of time. */
  readonly timers: ShownTimer[];
  /** Pass it to {@link placeIn} for the next page. Null on the last page. */
  readonly next: string | null;
}

/** A place in the order of timers. */
type Place = Pick<Timer, "dueAt" | "number">;

/** Returns the place that the `next` of a page is. Undefined if the text is none. */
export function placeIn(text: string): Place | undefined {
  const [, dueAt, number] = /^(-?\d{1,16})-([1-9]\d{0,15})$/.exec(text) ?? [];
  return dueAt === undefined || number === undefined ? undefined : { dueAt: Number(dueAt), number: Number(number) };
}

/** Resolves with a page of timers. */
export async function timerPage(timers: TimerReads, query: TimerQuery): Promise<TimerPage> {
  const found = await timers.list({ ...query, limit: query.limit + 1 });
  const page = found.slice(0, query.limit);
  const last = found.length > query.limit ? page.at(-1) : undefined;
  return { timers: page.map(shownTimer), next: last ? `${last.dueAt}-${last.number}` : null };
}

export function shownTimer({ number, resource, event, subject, dueAt, key, data, actor, cause, problem }: Timer): ShownTimer {
  const shown = {
    number,
    type: `${resource}.${event}`,
    id: subject,
    dueAt: new Date(dueAt).toISOString(),
    key,
    data: JSON.parse(data) as unknown,
  };
  return { ...shown, actor, cause, problem };
}

/** Returns why there is no timer. */
export function absentTimer(number: number | string): string {
  return `There is no timer ${number}. It may have become an event, or have been cancelled.`;
}
