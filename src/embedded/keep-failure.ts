import { describeError, type Failure } from "../delivery/outcome";
import { type Event, resourceName } from "../schema/event";
import type { ConsumerData } from "../store/consumer/store";
import type { ReplayMark } from "../store/replay";
import { steadyNow, timestamp } from "../timing/clock";

/** Parts of an event that are kept with its outcome. */
export interface Kept {
  readonly id: string;
  readonly body: string;
  readonly firstFailure: string | null;
  readonly replay: ReplayMark;
  readonly traceparent: string | null;
}

/**
 * Stores a failed event in the consumer's store, as a waiting event or as a dead letter. Resolves with when it is due,
 * by {@link steadyNow}: Infinity if it is not retried.
 */
export async function keepFailure(
  data: ConsumerData,
  message: Kept,
  outcome: Failure,
  consumer: { readonly temporary: boolean },
): Promise<number> {
  const { id, body, replay, traceparent } = message;
  const failedAt = timestamp();
  const firstFailure = message.firstFailure ?? failedAt;
  const { attempts } = outcome;
  if (outcome.action === "retry") {
    const { delayMs } = outcome;
    const dueAt = steadyNow() + delayMs;
    await data.waiting.add({ id, body, attempts, firstFailure, replay, traceparent, dueAt, delayMs });
    return dueAt;
  }
  const { message: error, stack } = describeError(outcome.error);
  const { reason } = outcome;
  // A temporary consumer leaves nothing behind; the event itself is still in the log.
  if (!consumer.temporary) {
    await data.dead.add({
      id,
      type: typeOf(body),
      body,
      reason,
      error,
      stack,
      attempts,
      firstFailure,
      lastFailure: failedAt,
      replay,
      traceparent,
    });
  }
  return Number.POSITIVE_INFINITY;
}

function typeOf(body: string): string | null {
  try {
    const { type } = JSON.parse(body) as Partial<Event>;
    return typeof type === "string" && resourceName(type) ? type : null;
  } catch {
    return null;
  }
}
