import type { Log } from "../observe/logging";
import { now } from "../timing/clock";
import type { LogReader } from "./log";

/**
 * Logs a warning if the system clock is more than one second behind the newest event. Until the clock catches up, all changes
 * get the time of that event.
 */
export async function warnOfClock(events: LogReader, log: Log): Promise<void> {
  const [newest] = await events.read((await events.end()) - 1, 1);
  const behindSeconds = newest ? Math.round((Date.parse(newest.timestamp) - now()) / 1000) : 0;
  if (behindSeconds <= 1) return;
  log.warn(
    { behindSeconds, newest: newest?.timestamp },
    "The clock of this machine is behind the newest event; changes get the time of that event until the clock catches up",
  );
}
