import type { Watch } from "../delivery/dead-letters";
import { messageOf } from "../observe/logging";
import { Signal } from "../timing/signal";
import type { Broker, ConfirmChannel, ConsumeMessage } from "./connection";
import { unhandledCopiesOf } from "./copies";
import { requeuesOf } from "./message-headers";
import { Publisher } from "./publisher";

/** Decision about a dead letter. `enough` keeps it and stops reading. */
export type Verdict = "keep" | "remove" | "enough";
/**
 * Decides about one dead letter.
 *
 * @param closed Aborts when the publisher's channel closes.
 */
export type Look = (message: ConsumeMessage, publisher: Publisher, closed: AbortSignal) => Verdict | Promise<Verdict>;

/** Prefetch of the reader: `fewAhead` until that many messages were read and all are smaller than `largeBytes`, then `manyAhead`. */
const [fewAhead, manyAhead] = [16, 256];
const largeBytes = 64 * 1024;
const patienceMs = 5000;
/**
 * Number of requeues after which a copy at the end of the queue replaces the message. On a quorum queue, each read counts as a delivery,
 * and RabbitMQ drops a message that exceeds the limit, which is 20 in RabbitMQ 4.
 */
const mostRequeues = 10;
/** Interval at which the reader checks whether the remaining messages are gone. */
const lookAgainMs = 250;

/** Thrown when another reader is using the same queue. */
export class QueueTaken extends Error {
  override readonly name = "QueueTaken";
  constructor(queue: string, options?: ErrorOptions) {
    super(`Somebody else reads the queue "${queue}"`, options);
  }
}

/**
 * Passes every message that is in a queue now to `look`, the oldest first. A kept message stays unacknowledged until the channel closes. It
 * then returns to its place or to the end of the queue. Only one reader works at a time; another one waits up to `patienceMs`.
 *
 * @throws {QueueTaken} if the other reader does not finish in time, or if another program takes the queue in between.
 */
export async function readDeadQueue(broker: Broker, queue: string, look: Look, watch: Watch): Promise<void> {
  const deadline = performance.now() + patienceMs;
  let hasLooked = false;
  const noted: Look = (...about) => {
    hasLooked = true;
    return look(...about);
  };
  for (;;) {
    try {
      return await alone(broker, queue, () =>
        broker.withConfirmChannel((channel, closed) => readAll(channel, closed, queue, noted, watch)),
      );
    } catch (error) {
      if (!(error instanceof QueueTaken || messageOf(error).includes("in exclusive use"))) throw error;
      // Whoever has looked would look at the same messages again.
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

async function readAll(
  channel: ConfirmChannel,
  closed: AbortSignal,
  queue: string,
  look: Look,
  { onProgress, stop }: Watch,
): Promise<void> {
  const publisher = new Publisher(channel);
  const moved = new Signal();
  for (const signal of [closed, stop]) signal?.addEventListener("abort", () => moved.raise(), { once: true });
  const { messageCount: count, consumerCount } = await channel.checkQueue(queue);
  // `messageCount` leaves out messages that another reader holds.
  if (consumerCount > 0) throw new QueueTaken(queue);

  let begun = 0;
  let working = 0;
  let enough = false;
  let cancelled = false;
  let failure: unknown;
  const ended = () => closed.aborted || stop?.aborted || cancelled || enough || failure !== undefined || begun === count;

  let ahead = fewAhead;
  let subscription: { readonly tag: string; readonly room: number; kept: number } | undefined;
  const hasRoom = () => subscription?.room === ahead && subscription.kept < ahead / 2;
  /** Those that come while no other is looked at. */
  const waiting: ConsumeMessage[] = [];
  let subscribing = false;
  /**
   * Subscribes with a prefetch of `ahead`, replacing the current subscription. Kept messages use up its prefetch, so replace it once they
   * fill half of it. Another program that subscribes in between makes RabbitMQ close the channel, and a message that was published
   * but not acknowledged would exist twice. So everything that was begun finishes first.
   */
  const subscribe = async () => {
    subscribing = true;
    while (working > 0 && !closed.aborted) await moved.wait();
    if (!ended()) {
      const next = { tag: crypto.randomUUID(), room: ahead, kept: 0 };
      // Holds for the subscriptions to come.
      await channel.prefetch(next.room);
      if (subscription) await channel.cancel(subscription.tag);
      subscription = next;
      await channel.consume(queue, receive, { exclusive: true, consumerTag: next.tag });
    }
    subscribing = false;
    for (const message of waiting.splice(0)) begin(message);
  };
  let largest = 0;
  const isEmpty = async () => (await channel.checkQueue(queue)).messageCount === 0;
  let movedAt = performance.now();
  const settle = async (message: ConsumeMessage) => {
    try {
      const verdict = await look(message, publisher, closed);
      if (verdict === "remove") channel.ack(message);
      else if (requeuesOf(message) >= mostRequeues) {
        await publisher.publishFirst(unhandledCopiesOf(message, queue));
        channel.ack(message);
      } else if (subscription?.tag === message.fields.consumerTag) subscription.kept += 1;
      if (verdict === "enough") enough = true;
      ahead = largest < largeBytes && begun >= fewAhead ? manyAhead : fewAhead;
    } catch (error) {
      failure ??= error;
    }
    working -= 1;
    movedAt = performance.now();
    onProgress?.(begun - working, count);
    moved.raise();
  };
  function begin(message: ConsumeMessage): void {
    // What comes now was not there at the beginning, or is not wanted any more; it goes back when the channel closes.
    if (ended()) return;
    begun += 1;
    working += 1;
    largest = Math.max(largest, message.content.length);
    void settle(message);
  }
  function receive(message: ConsumeMessage | null): void {
    if (message === null) cancelled = true;
    else if (subscribing) waiting.push(message);
    else begin(message);
    moved.raise();
  }
  const isIdle = () => working === 0 && performance.now() - movedAt >= lookAgainMs;
  while (!ended()) {
    if (!hasRoom()) await subscribe();
    await moved.wait(lookAgainMs);
    // Messages sent before the first reply arrive before the second, so two empty checks in a row mean that none is in transit.
    if (isIdle() && !ended() && (await isEmpty()) && (await isEmpty()) && isIdle()) break;
  }
  while (working > 0 && !closed.aborted) await moved.wait();
  if (failure !== undefined) throw failure;
  if (closed.aborted) throw new Error("the connection to RabbitMQ was lost on the way");
}
