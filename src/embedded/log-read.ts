import type { Consumer } from "../delivery/consumer-options";
import type { Log } from "../observe/logging";
import { messageOf } from "../observe/logging";
import type { LogEntry, LogReader } from "../store/log";

/** Pause after a failed read, in milliseconds. */
const tryEveryMs = 250;

/**
 * Reads up to `limit` entries after a position. Resolves with undefined if the log cannot be read now, because it is locked
 * or the disk has trouble. The caller should try again.
 */
export async function readLog(events: LogReader, log: Log, after: number, limit: number): Promise<LogEntry[] | undefined> {
  try {
    return await events.read(after, limit);
  } catch (error) {
    log.warn({ error: messageOf(error) }, "Cannot read the event log; retrying");
    await Bun.sleep(tryEveryMs);
    return undefined;
  }
}

/** Returns the room from which on the log is read, so that many events are read at once, and the handler still has some meanwhile. */
export function leastRoom({ prefetch, concurrency }: Pick<Consumer, "prefetch" | "concurrency">, batch: number): number {
  return Math.max(1, Math.min(prefetch - concurrency, Math.floor(Math.min(prefetch, batch) / 4)));
}
