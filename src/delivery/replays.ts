import type { ReplayRow } from "../store/replay-table";
import type { LogReader } from "../store/store";
import { parseSelection, type ReplaySelection, selects } from "./replay-selection";

/** A replay as it is shown. */
export interface Replay {
  readonly id: string;
  readonly queue: string;
  /** `fill`: a new queue gets the past that its consumer asked for. */
  readonly kind: "replay" | "fill";
  readonly state: "running" | "finished" | "failed";
  readonly selection: ReplaySelection;
  /** Events that were sent to the queue. */
  readonly sent: number;
  /** How much of the log it has been through, from 0 to 1. */
  readonly progress: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
}

/** Starts replays and tells how they go. */
export interface Replays {
  /**
   * Starts to send past events to one queue. Answers at once; it goes on through a restart of the process.
   *
   * @throws {UnknownQueue} when there is no such queue.
   * @throws {QueueUnavailable} when that cannot be told now.
   */
  start(queue: string, selection: ReplaySelection): Promise<Replay>;
  get(id: string): Promise<Replay | undefined>;
  /** The newest first. */
  list(limit: number): Promise<Replay[]>;
}

export function toReplay(row: ReplayRow): Replay {
  const { id, queue, fill, first, position, last, sent, createdAt, finishedAt, error } = row;
  return {
    id,
    queue,
    kind: fill === 1 ? "fill" : "replay",
    state: finishedAt === null ? "running" : error === null ? "finished" : "failed",
    selection: parseSelection(row.selection),
    sent,
    progress: finishedAt !== null && error === null ? 1 : last > first ? Math.min(1, (position - first) / (last - first)) : 0,
    createdAt,
    finishedAt,
    error,
  };
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

/** Counts the events of a selection without sending any. */
export async function countPast(
  log: LogReader,
  selection: ReplaySelection,
  options: Partial<LogPart> & { onProgress?: (progress: number, count: number) => void } = {},
): Promise<number> {
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
