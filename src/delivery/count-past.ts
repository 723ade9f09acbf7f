import type { LogReader } from "../store/log";
import { matchesSelection, type ReplaySelection } from "./replay-selection";

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
    for (const entry of entries) if (entry.position <= last && matchesSelection(selection, entry)) count += 1;
    position = entries.at(-1)?.position ?? last;
    options.onProgress?.(Math.min(1, (position - first) / (last - first)), count);
    await new Promise(setImmediate);
  }
  return count;
}
