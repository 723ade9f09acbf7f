import { messageOf } from "../observe/logging";
import type { Broker } from "./connection";
import { DeadQueueReader, type Look, QueueTaken, type Reading } from "./dead-queue-reader";

const patienceMs = 5000;

/**
 * Passes every message that is in a queue now to `look`, the oldest first. A kept message stays unacknowledged until the channel closes. It
 * then returns to its place or to the end of the queue. Only one reader works at a time; another one waits up to `patienceMs`.
 *
 * @throws {QueueTaken} if the other reader does not finish in time, or if another program takes the queue in between.
 */
export async function readDeadQueue(broker: Broker, queue: string, look: Look, watch: Reading): Promise<void> {
  const deadline = performance.now() + patienceMs;
  let hasLooked = false;
  const noted: Look = (...about) => {
    hasLooked = true;
    return look(...about);
  };
  for (;;) {
    try {
      return await alone(broker, queue, () =>
        broker.withConfirmChannel((channel, closed) => new DeadQueueReader(channel, closed, queue, noted, watch).run()),
      );
    } catch (error) {
      if (!(error instanceof QueueTaken || messageOf(error).includes("in exclusive use"))) throw error;
      // A second reading would pass the same messages to `look` again.
      if (hasLooked || performance.now() > deadline) throw new QueueTaken(queue, { cause: error });
      await Bun.sleep(50 + Math.random() * 100);
    }
  }
}

/**
 * The queues that this process reads. RabbitMQ keeps out other readers by an exclusive subscription, but lets them in
 * while one subscription takes the place of another.
 */
const reading = new WeakMap<Broker, Set<string>>();

async function alone(broker: Broker, queue: string, read: () => Promise<void>): Promise<void> {
  const queues = reading.get(broker) ?? new Set();
  if (queues.has(queue)) throw new QueueTaken(queue);
  reading.set(broker, queues.add(queue));
  try {
    await read();
  } finally {
    queues.delete(queue);
  }
}
