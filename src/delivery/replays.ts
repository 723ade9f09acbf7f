import type { LogReader } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { QueueUnavailable } from "./queue-errors";
import { parseSelection, type ReplaySelection, selects } from "./replay-selection";

/** A replay and its progress. */
export interface Replay {
  readonly id: string;
  readonly queue: string;
  /** `fill`: fills a new queue with the past events that its consumer asked for. */
  readonly kind: "replay" | "fill";
  /** `queued`: starts when other replays have finished. */
  readonly state: "queued" | "running" | "finished" | "failed" | "cancelled";
  readonly selection: ReplaySelection;
  /** Number of events sent to the queue. */
  readonly sent: number;
  /** Processed share of its part of the log, from 0 to 1. */
  readonly progress: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
  /** Why events are missing or it makes no progress without an error, such as that no consumer runs. Null if there is nothing to say. */
  readonly note: string | null;
}

/** Minimum rate in events per second: one event every 17 minutes. */
export const leastRate = 0.001;
/** Maximum number of unfinished replays, queued ones included: of one queue without RabbitMQ, of all queues with it. */
export const mostUnfinished = 1000;
/** Maximum number of replays that run at the same time. The others are queued. */
export const mostAtOnce = 4;

/** Value of `error` in the row of a cancelled replay. */
export const cancelledError = "cancelled";

/** Thrown for a fill that is to be cancelled: its queue would lack events that its consumer asked for. */
export class NotCancellable extends Error {
  override readonly name = "NotCancellable";
}

/** Starts, cancels and inspects replays. */
export interface Replays {
  /**
   * Starts to send past events to one queue. Resolves before they are sent; a restart of the process does not end the
   * replay.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   * @throws {QueueUnavailable} if the queue cannot be checked now, or too many replays are unfinished.
   */
  start(queue: string, selection: ReplaySelection): Promise<Replay>;
  /**
   * Resolves with the number of events that a replay would send now: those of the selection that belong on the queue.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   */
  count(queue: string, selection: ReplaySelection, options?: CountOptions): Promise<number>;
  get(id: string): Promise<Replay | undefined>;
  /**
   * Ends a replay early. Events already sent stay on the queue. A replay that has ended is unchanged. Resolves with
   * undefined if the replay does not exist.
   *
   * @throws {NotCancellable} for a fill.
   */
  cancel(id: string): Promise<Replay | undefined>;
  /** Lists replays, newest first. */
  list(limit: number): Promise<Replay[]>;
}

/** @param state state to show while the replay is unfinished. */
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
  return `No consumer of "${queue}" is running: ${what}.`;
}

/** @throws {QueueUnavailable} if {@link mostUnfinished} replays are unfinished. */
export function refuseTooMany(unfinished: number): void {
  if (unfinished < mostUnfinished) return;
  throw new QueueUnavailable(`${mostUnfinished} replays are unfinished: cancel some, or wait until some have finished.`);
}

/** Resolves with the position after which a selection begins. */
export function beginningOf(log: LogReader, { from }: ReplaySelection): Promise<number> {
  return from === null ? Promise.resolve(0) : log.positionBefore(from);
}

/** A part of the log: the entries after position `after`, up to and including `last`. */
export interface LogPart {
  readonly after: number;
  readonly last: number;
}

export interface CountOptions extends Partial<LogPart> {
  readonly onProgress?: (progress: number, count: number) => void;
}

/** Counts the events of a selection without sending them. */
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
