import { NotRemovable, QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { HttpProblem } from "../http/problem";

/**
 * Converts queue errors to HTTP problems.
 *
 * @throws {HttpProblem} 404 if the queue does not exist, 409 if it is needed, 503 if it cannot be reached.
 */
export function reachable<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (error instanceof QueueUnavailable) throw new HttpProblem(503, error.message);
    if (error instanceof NotRemovable) throw new HttpProblem(409, error.message);
    if (error instanceof UnknownQueue) throw new HttpProblem(404, error.message);
    throw error;
  });
}
