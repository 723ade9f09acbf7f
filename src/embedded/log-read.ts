import type { Log } from "../observe/logging";
import { messageOf } from "../observe/logging";
import type { LogEntry, LogReader } from "../store/log";

/** How soon a log that cannot be read is tried again. */
const tryEveryMs = 250;

/** Reads up to `limit` entries after a position. Undefined: the log cannot be read now (locked, disk trouble); it is worth another try. */
export async function readLog(events: LogReader, log: Log, after: number, limit: number): Promise<LogEntry[] | undefined> {
  try {
    return await events.read(after, limit);
  } catch (error) {
    log.warn({ error: messageOf(error) }, "The event log could not be read; it is tried again");
    await Bun.sleep(tryEveryMs);
    return undefined;
  }
}
