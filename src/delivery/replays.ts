import type { LogReader } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { QueueUnavailable } from "./queue-errors";
import { parseSelection, type ReplaySelection, selects } from "./replay-selection";

/** A replay as it is shown. */
export interface Replay {
  readonly id: string;
  readonly queue: string;
  /** `fill`: a new queue gets the past that its consumer asked for. */
  readonly kind: "replay" | "fill";
  /** `queued`: it begins when others have finished. */
  readonly state: "queued" | "running" | "finished" | "failed" | "cancelled";
  readonly selection: ReplaySelection;
  /** Events that were sent to the queue. */
  readonly sent: number;
  /** How much of the log it has been through, from 0 to 1. */
  readonly progress: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
  /** Why it does not get on although nothing is wrong, such as that no consumer runs; null where nothing is to be said or known. */
  readonly note: string | null;
}

/** Less would be no replay: at this rate an event comes every 17 minutes. */
export const leastRate = 0.001;
/** How many replays may be unfinished in one place, with those that wait for their turn. */
export const mostUnfinished = 1000;
/** How many run at the same time; the others wait for their turn. */
export const mostAtOnce = 4;

/** What `error` of a row is if somebody has cancelled the replay. */
export const cancelledError = "cancelled";

/** A fill is not a replay that can be cancelled: its queue would lack what its consumer asked for. */
export class NotCancellable extends Error {
  override readonly name = "NotCancellable";
}

/** Starts replays and tells how they go. */
export interface Replays {
  /**
   * Starts to send past events to one queue. Answers at once; it goes on through a restart of the process.
   *
   * @throws {UnknownQueue} when there is no such queue.
   * @throws {QueueUnavailable} when that cannot be told now, or too many replays are unfinished.
   */
  start(queue: string, selection: ReplaySelection): Promise<Replay>;
  /**
   * Returns how many events a replay would send now: those of the selection that belong on the queue.
   *
   * @throws {UnknownQueue} when there is no such queue.
   */
  count(queue: string, selection: ReplaySelection, options?: CountOptions): Promise<number>;
  get(id: string): Promise<Replay | undefined>;
  /**
   * Ends a replay early: what was sent is sent, and nothing more comes. One that has ended is left as it is. Returns undefined
   * if there is none.
   *
   * @throws {NotCancellable} for a fill.
   */
  cancel(id: string): Promise<Replay | undefined>;
  /** The newest first. */
  list(limit: number): Promise<Replay[]>;
}

/** @param state of one that is not finished. */
export function toReplay(row: ReplayRow, state: "queued" | "running" = "running", note: string | null = null): Replay {
  const { id, queue, fill, first, position, last, sent, createdAt, finishedAt, error } = row;
  return {
    id,
    queue,
    kind: fill === 1 ? "fill" : "replay",
    state: finishedAt === null ? state : error === null ? "finished" : error === cancelledError ? "cancelled" : "failed",
    selection: parseSelection(row.selection),
    sent,
    progress: finishedAt !== null && error === null ? 1 : last > first ? Math.min(1, (position - first) / (last - first)) : 0,
    createdAt,
    finishedAt,
    error: error === cancelledError ? null : error,
    note,
  };
}

export function noConsumerNote(queue: string, what: string): string {
  return `No consumer of "${queue}" runs now: ${what}.`;
}

/** @throws {QueueUnavailable} when no further one may wait. */
export function refuseTooMany(unfinished: number): void {
  if (unfinished < mostUnfinished) return;
  throw new QueueUnavailable(`${mostUnfinished} replays are unfinished: cancel some, or wait until some have finished.`);
}

/** Where in the log a selection can begin. */
export function beginningOf(log: LogReader, { from }: ReplaySelection): Promise<number> {
  return from === null ? Promise.resolve(0) : log.positionBefore(from);
}

/** A part of the log: what comes after a position, up to another one. */
export interface LogPart {
  readonly after: number;
  readonly last: number;
}

export interface CountOptions extends Partial<LogPart> {
  readonly onProgress?: (progress: number, count: number) => void;
}

/** Counts the events of a selection without sending any. */
export async function countPast(log: LogReader, selection: ReplaySelection, options: CountOptions = {}): Promise<number> {
  const first = options.after ?? (await beginningOf(log, selection));
  const last = options.last ?? (await log.end());
  let count = 0;
  for (let position = first; position < last; ) {
    const entries = await log.read(position, 1000);
    if (entries.length === 0) break;
    for (const entry of entries) if (entry.position <= last && selects(selection, entry)) count += 1;
    position = entries.at(-1)?.position ?? last;
    options.onProgress?.(Math.min(1, (position - first) / (last - first)), count);
    await new Promise(setImmediate);
  }
  return count;
}
