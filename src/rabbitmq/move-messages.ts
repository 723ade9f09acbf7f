import type { Broker } from "./connection";
import { keptCopiesOf } from "./copies";
import { readDeadQueue } from "./dead-queue";
import type { Look } from "./dead-queue-reader";
import { Publisher } from "./publisher";

/** Type of the message that marks the end of what is to be moved. */
const endType = "warren.converting.end";

/**
 * Moves the messages that are in a queue now to another one, in order. Each is removed once RabbitMQ has confirmed its copy, so that one is in
 * both queues if this is interrupted.
 *
 * @throws {QueueTaken} if the queue has a consumer.
 */
export async function moveMessages(broker: Broker, from: string, to: string, stop: AbortSignal): Promise<void> {
  await readDeadQueue(broker, from, moveTo(to), { stop });
}

/**
 * Moves all messages of a queue that gets no others meanwhile. A quorum queue without a leader says that it is empty, so this first adds a
 * message that marks the end, and reads up to that.
 *
 * @throws {Error} if not all could be moved.
 */
export async function moveAllMessages(broker: Broker, from: string, to: string, stop: AbortSignal): Promise<void> {
  const messageId = Bun.randomUUIDv7();
  const options = { messageId, type: endType, persistent: true };
  await broker.withConfirmChannel((channel) =>
    new Publisher(channel).publish({ exchange: "", routingKey: from, content: Buffer.alloc(0), options }),
  );
  let isEnd = false;
  const move = moveTo(to);
  const look: Look = (message, ...rest) => {
    // One with another ID is from an earlier attempt.
    if (message.properties.type !== endType) return move(message, ...rest);
    isEnd ||= message.properties.messageId === messageId;
    return "remove";
  };
  await readDeadQueue(broker, from, look, { stop });
  if (!isEnd) throw new Error(`not all messages of "${from}" could be read`);
}

function moveTo(queue: string): Look {
  return (message, publisher) => publisher.publishFirst(keptCopiesOf(message, queue)).then(() => "remove");
}
