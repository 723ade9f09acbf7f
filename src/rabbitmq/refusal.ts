import { QueueUnavailable } from "../delivery/queue-errors";
import { messageOf } from "../observe/logging";
import { isRefusal } from "./topology";

/** Makes what RabbitMQ refuses for one queue a {@link QueueUnavailable}; throws anything else as it is. */
export function refusalExplained(queue: string): (error: unknown) => never {
  return (error) => {
    if (!isRefusal(error)) throw error;
    throw new QueueUnavailable(`RabbitMQ does not let Warren use the queue "${queue}": ${messageOf(error)}`, { cause: error });
  };
}
