import type { Consumer } from "../delivery/consumer-options";
import type { ConsumerStore } from "../store/consumer/store";
import type { LogReader } from "../store/log";
import type { LogFollower } from "../store/log-follower";

/**
 * Records that a consumer reads an event log, and where a new one starts.
 *
 * @param since when this process started to consume, if the log it read before is gone. "Now" then means that time.
 */
export async function startReading(
  { temporary, queue, log, startFrom, schedule, wanted }: Consumer,
  events: LogReader & Pick<LogFollower, "logId" | "schedules" | "find">,
  store: ConsumerStore,
  since?: Date,
): Promise<void> {
  const { logId } = events;
  const known = await store.progress(logId);
  let position = known?.position ?? 0;
  if (!known && schedule) position = (await beforeOutstanding(queue, events)) ?? (await events.end());
  else if (!known && (temporary || startFrom === "now"))
    position = since ? await events.positionBefore(since.toISOString()) : await events.end();
  else if (!known && startFrom instanceof Date) position = await events.positionBefore(startFrom.toISOString());
  await store.begin(logId, position, [...wanted]);
  log.debug({ queue, position }, "Reading the event log");
}

/** Resolves with the position before the last event of a schedule, if it is not done: the next one waits for it. Otherwise with undefined. */
async function beforeOutstanding(queue: string, { schedules, find }: Pick<LogFollower, "schedules" | "find">): Promise<number | undefined> {
  const schedule = (await schedules()).find((each) => each.queue === queue);
  if (!schedule || schedule.isDone || schedule.lastTick === null) return undefined;
  const event = await find(schedule.lastTick);
  return event && event.position - 1;
}
