import type { Attempt } from "../store/consumer/attempt-table";
import type { Delivery } from "./delivery";
import { describeError, type Outcome } from "./outcome";

/**
 * What the consumer's file keeps of an attempt: each that failed, and the one that made it right in the end. Undefined for
 * what every day brings, which is not worth a write.
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
