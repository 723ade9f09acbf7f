import { messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { whenUnlocked } from "../store/open";
import type { Consumer } from "./consumer-options";
import type { Task } from "./delivery";
import type { Outcome } from "./outcome";
import { noteTick } from "./tick-notes";

const longestPauseMs = 5000;

/**
 * Settles a delivery. If that fails (disk full, or file locked by another process), the event stays where it is. Retries
 * until it succeeds or the consumer stops. Never rejects.
 */
export async function settle(
  { delivery, event }: Pick<Task, "delivery"> & Partial<Task>,
  outcome: Outcome,
  consumer: Consumer,
  isStopping: () => boolean,
): Promise<void> {
  const { queue, log } = consumer;
  if (!(await noteTick(consumer, delivery, event, outcome, isStopping))) return;
  for (let pauseMs = 100; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await whenUnlocked(() => delivery.settle(outcome));
      return;
    } catch (error) {
      const { id, traceparent } = delivery.origin;
      log.error({ queue, event: id, ...traceField(traceparent), error: messageOf(error), pauseMs }, "Cannot settle an event; retrying");
      if (isStopping()) return;
      await Bun.sleep(pauseMs);
    }
  }
}
