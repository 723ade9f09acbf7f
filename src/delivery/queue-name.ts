import { ConsumerError } from "./consumer-error";

/** Regular expression that the names of queues match. */
export const queueNamePattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$";

/** @throws {ConsumerError} if the name is not valid for a consumer's queue. */
export function checkQueueName(queue: string): void {
  if (!new RegExp(queueNamePattern).test(queue)) {
    throw new ConsumerError(
      `"${queue}" is not a valid queue name: use at most 200 letters, digits, dots, dashes and underscores, such as "audit".`,
    );
  }
  if (/\.(dead|converting)$|\.retry\.\d+$|^(warren|amq)\./.test(queue)) {
    throw new ConsumerError(`"${queue}" is reserved for Warren or RabbitMQ; use another queue name.`);
  }
}
