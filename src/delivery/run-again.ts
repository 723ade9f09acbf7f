import { TransactionGaveUp } from "../store/errors";
import type { Answer } from "../store/transaction/recorded";
import type { Consumer } from "./consumer-options";
import type { Task } from "./delivery";
import { type Again, RunAgain } from "./handler-changes";
import type { Result } from "./outcome";

/** Maximum number of runs of a handler whose reads others change. After that, the attempt has failed. */
const mostRuns = 8;
/** Pause before a handler runs again because the service that it changes cannot be reached, in milliseconds. */
export const unavailablePauseMs = 500;

/**
 * Runs a handler again until its changes are made, or it fails. Waits while the service that it changes cannot be reached: that is no failure of
 * the handler. Resolves with undefined if the consumer stops, or the event is gone, before that.
 *
 * @param result that of the first run.
 */
export async function untilMade(
  consumer: Consumer,
  { delivery, event }: Pick<Task, "delivery" | "event">,
  isStopping: () => boolean,
  result: Result,
  run: (again: Again) => Promise<Result>,
): Promise<Result | undefined> {
  const { locks, trouble } = consumer.changes;
  if (!isRunAgain(result)) {
    trouble.end();
    return result;
  }
  const keys = new Set<string>();
  let answers: readonly Answer[] | null | undefined;
  let release: (() => void) | undefined;
  let checksEach = false;
  try {
    for (let runs = 1, isTold = false; isRunAgain(result); ) {
      const { why } = result.error;
      release?.();
      release = undefined;
      if (why.kind === "made") answers = why.answers;
      else if (why.kind === "refused") checksEach = true;
      else if (why.kind === "stale") {
        if (runs === mostRuns) return { kind: "failed", error: gaveUp() };
        runs += 1;
        for (const key of why.keys) keys.add(key);
        release = await locks.acquire(keys);
      } else if (why.kind === "unavailable") {
        if (!isTold) consumer.log.warn({ queue: consumer.queue, event: event.id, error: why.error.message }, unavailableText);
        isTold = true;
        trouble.begin(why.error.message);
        await Bun.sleep(unavailablePauseMs);
      }
      if (isStopping() || delivery.gone) return undefined;
      result = await run({ hasLocks: release !== undefined, checksEach, ...(answers !== undefined && { answers }) });
    }
    trouble.end();
    return result;
  } finally {
    release?.();
  }
}

export function isRunAgain(result: Result): result is { readonly kind: "failed"; readonly error: RunAgain } {
  return result.kind === "failed" && RunAgain.is(result.error);
}

export const unavailableText = "Cannot commit what a handler changes; the event waits until the service can be reached";

function gaveUp(): TransactionGaveUp {
  return new TransactionGaveUp(`Other changes changed what the handler had read, ${mostRuns} times in a row.`);
}
