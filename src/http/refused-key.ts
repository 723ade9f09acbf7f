import { KeyReused, TooMuchKept } from "../store/errors";
import { HttpProblem } from "./problem";

/** Returns the problem for a change whose Idempotency-Key the store refused. Returns undefined for any other error. */
export function problemOfKey(error: unknown): HttpProblem | undefined {
  if (error instanceof TooMuchKept) {
    const problem = new HttpProblem(
      429,
      "The responses kept for this token's Idempotency-Keys of the last 24 hours have reached their size limit. Nothing was changed. Retry later, or send the request without a key.",
    );
    problem.headers = { "retry-after": String(error.retryAfter) };
    return problem;
  }
  if (!(error instanceof KeyReused)) return undefined;
  return new HttpProblem(
    422,
    "This Idempotency-Key was used with a different body. Use a new key for a new request.",
    undefined,
    "idempotency-key-reused",
  );
}
