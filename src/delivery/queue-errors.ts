import { messageOf } from "../observe/logging";
import { isRefusal } from "../rabbitmq/topology";

/** Whoever asked named a queue that is not there. */
export class UnknownQueue extends Error {
  override readonly name = "UnknownQueue";
  constructor(queue: string) {
    super(`There is no queue "${queue}": a consumer makes its queue when it runs for the first time.`);
  }
}

/** RabbitMQ is away, or somebody else has the queue in hand. Nothing was lost; it is worth another try. */
export class QueueUnavailable extends Error {
  override readonly name = "QueueUnavailable";
}

/** Makes what RabbitMQ refuses for one queue a {@link QueueUnavailable}; throws anything else as it is. */
export function refusalExplained(queue: string): (error: unknown) => never {
  return (error) => {
    if (!isRefusal(error)) throw error;
    throw new QueueUnavailable(`RabbitMQ does not let Warren use the queue "${queue}": ${messageOf(error)}`, { cause: error });
  };
}
