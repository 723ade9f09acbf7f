import { QueueUnavailable } from "../delivery/queue-errors";
import { messageOf } from "../observe/logging";
import { isAccessDenied } from "./reply-code";

/** Returns an error handler that converts RabbitMQ's refusal of one queue to {@link QueueUnavailable} and rethrows any other error. */
export function unavailableIfDenied(queue: string): (error: unknown) => never {
  return (error) => {
    if (!isAccessDenied(error)) throw error;
    throw new QueueUnavailable(`RabbitMQ denies Warren access to the queue "${queue}": ${messageOf(error)}`, { cause: error });
  };
}
