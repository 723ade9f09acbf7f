import type { Attempt } from "../store/consumer/attempt-table";
import type { Delivery } from "./delivery";
import { describeError, type Outcome } from "./outcome";

/**
 * Returns the attempt to record in the consumer's file: one that failed, or one that handled an event after a failure, a
 * wait or a redrive. Returns undefined for any other attempt, which saves a write per event.
 */
export function attemptNote(outcome: Outcome, { failures, again }: Pick<Delivery, "failures" | "again">, now: number): Attempt | undefined {
  const nothing = { at: now, reason: null, error: null, dueAt: null };
  if (outcome.action === "ack") {
    return outcome.result === "handled" && (again || failures > 0) ? { ...nothing, attempt: failures + 1, outcome: "handled" } : undefined;
  }
  const failed = { ...nothing, attempt: outcome.attempts, error: describeError(outcome.error).message };
  return outcome.action === "retry"
    ? { ...failed, outcome: "retry", dueAt: now + outcome.delayMs }
    : { ...failed, outcome: "dead-letter", reason: outcome.reason };
}
