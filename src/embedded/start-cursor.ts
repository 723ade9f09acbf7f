import type { Consumer } from "../delivery/consumer-options";
import type { ConsumerStore } from "../store/consumer/store";
import type { LogReader } from "../store/log";
import type { LogFollower } from "../store/log-follower";
import { LogCursor } from "./log-cursor";

/**
 * Resolves with the place in the event log where a consumer continues, or where a new one starts. Records it in its file.
 *
 * @param since when this process started to consume, if the log it read before is gone. "Now" then means that time.
 */
export async function startCursor(
  { temporary, queue, log, startFrom, wanted }: Consumer,
  events: LogReader & Pick<LogFollower, "logId">,
  store: ConsumerStore,
  since?: Date,
): Promise<LogCursor> {
  const { logId } = events;
  const known = await store.progress(logId);
  const end = await events.end();
  let position = 0;
  if (known) position = Math.min(known.position, end);
  else if (temporary || startFrom === "now") position = since ? await events.positionBefore(since.toISOString()) : end;
  else if (startFrom instanceof Date) position = await events.positionBefore(startFrom.toISOString());
  if (known && known.position > end) {
    log.warn(
      { queue, position: known.position, end },
      "The event log ends before this consumer's position; an older log may have been restored",
    );
  }
  const cursor = new LogCursor({ position, begun: Math.min(known?.begun ?? position, end) });
  await store.saveProgress(logId, cursor);
  await store.saveFollows(logId, known ? 0 : position, [...wanted]);
  log.debug({ queue, position, end }, "Reading the event log");
  return cursor;
}
