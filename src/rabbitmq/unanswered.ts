import { QueueUnavailable } from "../delivery/queue-errors";
import { messageOf } from "../observe/logging";
import { isAccessDenied } from "./reply-code";

/**
 * Returns an error handler for a question to RabbitMQ about a queue. It throws {@link QueueUnavailable}, with the reason why there is no answer:
 * the user may not use the queue, its node is down, or the connection was lost meanwhile.
 */
export function unanswered(queue: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof QueueUnavailable) throw error;
    const what = isAccessDenied(error) ? `denies Warren access to the queue "${queue}"` : `gave no answer about the queue "${queue}"`;
    throw new QueueUnavailable(`RabbitMQ ${what}: ${messageOf(error)}`, { cause: error });
  };
}
