import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { HttpProblem } from "../http/problem";

/** Makes what a queue could not do a problem of HTTP. @throws {HttpProblem} 404 for a queue that does not exist, 503 for one that cannot be reached. */
export function reachable<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (error instanceof QueueUnavailable) throw new HttpProblem(503, error.message);
    if (error instanceof UnknownQueue) throw new HttpProblem(404, error.message);
    throw error;
  });
}
