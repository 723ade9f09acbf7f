import { messageOf } from "../observe/logging";
import type { Event } from "../schema/event";
import { isTick } from "../schema/tick";
import { doneOnce } from "../store/schedules";
import { unreachable } from "../store/transaction/unreachable";
import type { Consumer } from "./consumer-options";
import type { Delivery } from "./delivery";
import type { Outcome } from "./outcome";
import { unavailablePauseMs } from "./run-again";

/** Returns whether a consumer has not asked for an event. One that reads the log sees those of other schedules, too. */
export function isUnwanted({ wanted, queue }: Pick<Consumer, "wanted" | "queue">, event: Event): boolean {
  return !wanted.has(event.type) || (isTick(event) && event.schedule.name !== queue);
}

/**
 * Notes in the service that the event of a schedule is done, if it is: handled, or a dead letter. The next one comes after that. Waits while
 * the service cannot be reached. Resolves with false if the consumer stops, or the event is gone, before that: it must not be settled then.
 */
export async function noteTick(
  { queue, log, wanted, changes: { engine } }: Pick<Consumer, "queue" | "log" | "wanted" | "changes">,
  delivery: Pick<Delivery, "gone">,
  event: Event | undefined,
  outcome: Outcome,
  isStopping: () => boolean,
): Promise<boolean> {
  if (!event || !isTick(event) || isUnwanted({ wanted, queue }, event)) return true;
  if (outcome.action === "retry" || engine === unreachable) return true;
  const note = { reads: [], writes: [], cancel: [], context: { once: doneOnce(event.id) }, answerOf: () => outcome.action };
  for (let isTold = false; ; isTold = true) {
    try {
      await engine.commit(note);
      return true;
    } catch (error) {
      if (!isTold)
        log.warn({ queue, event: event.id, error: messageOf(error) }, "Cannot note that the event of a schedule is done; retrying");
      if (isStopping() || delivery.gone) return false;
      await Bun.sleep(unavailablePauseMs);
    }
  }
}
