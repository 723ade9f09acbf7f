import { traceField } from "../observe/traceparent";
import type { Consumer } from "./consumer-options";
import type { Task } from "./delivery";
import { type Failure, type Outcome, spanTroubleOf } from "./outcome";

type Reported = Pick<Task, "delivery"> & Partial<Task>;
type Reporter = Pick<Consumer, "queue" | "log" | "tracing">;

/** Writes the outcome of a message to log and trace. Acknowledged messages are not logged: there are too many. */
export function report(consumer: Reporter, task: Reported, outcome: Outcome): void {
  // A message that never reached the handler is traced as an attempt, too. A skipped one is not.
  const span = task.span ?? (isSkipped(outcome) ? undefined : consumer.tracing.process([task]));
  if (outcome.action === "ack") span?.end(undefined, { "warren.outcome": outcome.result });
  else {
    const { action, error } = outcome;
    const trouble = spanTroubleOf(error);
    const reason = action === "dead-letter" ? outcome.reason : undefined;
    // Without an error from a handler, the reason is the type of the error.
    span?.end(
      reason && typeof error === "string" ? { ...trouble, type: reason } : trouble,
      reason ? { "warren.outcome": action, "warren.reason": reason } : { "warren.outcome": action },
    );
    tellFailure(consumer, task, span?.traceparent, outcome, trouble.message);
  }
}

function isSkipped(outcome: Outcome): boolean {
  return outcome.action === "ack" && outcome.result === "skipped";
}

function tellFailure(
  { queue, log }: Reporter,
  { delivery: { origin }, event }: Reported,
  traceparent: string | null | undefined,
  outcome: Failure,
  error: string | undefined,
): void {
  const { attempts } = outcome;
  const about = { queue, event: event?.id ?? origin.id, ...traceField(traceparent ?? origin.traceparent), attempts, error };
  if (outcome.action === "retry") log.warn({ ...about, delayMs: outcome.delayMs }, "The handler failed; the event will be retried");
  else log.error({ ...about, reason: outcome.reason }, "An event became a dead letter");
}
