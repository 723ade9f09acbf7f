import type { Delivery } from "../delivery/delivery";
import type { Outcome } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import type { MessageOrigin } from "../observe/tracing";
import type { ReplayMark } from "../store/replay";
import { atMost, pause } from "../timing/pause";
import { Signal } from "../timing/signal";
import { Acknowledgements } from "./acknowledgements";
import type { ConfirmChannel, ConsumeMessage } from "./connection";
import { unhandledCopiesOf } from "./copies";
import type { Interrupted } from "./interrupted";
import { encodingOf, failuresOf, identityOf, isRedriven, originOf, replayMarkOf, requeuesOf } from "./message-headers";
import { Parker, type Parking } from "./park";
import { type PublishChannel, Publisher } from "./publisher";

const answerTimeoutMs = 1500;
/**
 * Messages held longer than `longestHoldMs` go back to the queue: RabbitMQ closes the channel of a consumer that holds one for 30 minutes.
 */
const [longestHoldMs, lookAtHeldEveryMs] = [15 * 60_000, 60_000];

/** Methods of an amqplib confirm channel that consuming needs. */
export type ConsumerChannel = PublishChannel & Pick<ConfirmChannel, "prefetch" | "consume" | "cancel" | "ack" | "close">;

export interface Subscription {
  /** Resolves when the broker has cancelled the subscription, for example because the queue was deleted. */
  readonly cancelled: Promise<void>;
  /** Stops taking messages, and closes the channel once those in progress are settled. Messages not begun stay in the queue. */
  drain(): Promise<void>;
}

/**
 * Passes the messages of one queue to a worker and settles them as the worker decides. A copy for a retry or a dead letter is confirmed
 * before its original is acknowledged.
 *
 * @param closed Aborts when the channel closes. The broker then redelivers every unsettled message.
 */
export async function consumeFrom(
  channel: ConsumerChannel,
  closed: AbortSignal,
  worker: Worker,
  parking: Parking,
  interrupted: Interrupted,
): Promise<Subscription> {
  const { queue, log, temporary, prefetch } = worker.consumer;
  const publisher = new Publisher(channel);
  const parker = new Parker(publisher, closed, parking, interrupted.suspects, worker.consumer);
  const cancelled = Promise.withResolvers<void>();
  const unsettled = new Set<ConsumeMessage>();
  const acknowledgements = new Acknowledgements(channel, unsettled, (message, outcome) => {
    interrupted.handled.set(identityOf(message), outcome);
  });
  let consumerTag = "";
  let draining = false;
  let paused = false;
  /** Raised whenever a message is settled. */
  const settled = new Signal();
  const looking = setInterval(() => void putBack((delivery) => delivery.heldMs > longestHoldMs), lookAtHeldEveryMs);

  closed.addEventListener(
    "abort",
    () => {
      clearInterval(looking);
      settled.raise();
      for (const message of unsettled) interrupted.held.add(identityOf(message));
      interrupted.forgetOldest(prefetch * 2);
    },
    { once: true },
  );

  class MessageDelivery implements Delivery {
    readonly failures: number;
    readonly suspect: boolean;
    readonly replay: ReplayMark;
    readonly again: boolean;
    readonly #arrivedAt = performance.now();

    constructor(readonly message: ConsumeMessage) {
      this.failures = failuresOf(message);
      this.replay = replayMarkOf(message);
      this.again = isRedriven(message);
      this.suspect = message.fields.redelivered && !interrupted.held.delete(identityOf(message));
    }
    get body(): Uint8Array {
      return this.message.content;
    }
    get encoding(): string | undefined {
      return encodingOf(this.message);
    }
    get gone(): boolean {
      return closed.aborted;
    }
    get origin(): MessageOrigin {
      return originOf(this.message, { queue, temporary });
    }
    async settle(outcome: Outcome): Promise<void> {
      const { message } = this;
      if (outcome.action !== "ack" && !(await parker.park(message, outcome))) return;
      this.#acknowledge(outcome);
    }
    get heldMs(): number {
      return performance.now() - this.#arrivedAt;
    }
    /** Publishes a copy to the end of the queue. Requeuing the message itself would count as a delivery on a quorum queue. */
    async putBack(): Promise<void> {
      try {
        await publisher.publishFirst(unhandledCopiesOf(this.message, queue));
        this.#acknowledge({ action: "ack", result: "skipped" });
      } catch (error) {
        log.debug({ queue, event: this.origin.id, error: messageOf(error) }, "Could not put an event back; keeping it");
        if (!closed.aborted) worker.take(this);
      }
    }
    #acknowledge(outcome: Outcome): void {
      const { message } = this;
      unsettled.delete(message);
      acknowledgements.add(message, outcome);
      settled.raise();
    }
  }

  /** Puts messages that the handler has not begun back on the queue. */
  async function putBack(isDue: (delivery: MessageDelivery) => boolean): Promise<void> {
    const due = worker.giveBack((delivery) => isDue(delivery as MessageDelivery)) as MessageDelivery[];
    await Promise.all(due.map((delivery) => delivery.putBack()));
  }

  function receive(message: ConsumeMessage | null): void {
    if (message === null) {
      cancelled.resolve();
      return;
    }
    unsettled.add(message);
    const identity = message.fields.redelivered ? identityOf(message) : "";
    const outcome = interrupted.handled.get(identity);
    const delivery = new MessageDelivery(message);
    if (outcome) {
      interrupted.handled.delete(identity);
      void delivery.settle(outcome);
    } else worker.take(delivery);
  }

  async function subscribe(): Promise<void> {
    // An exception inside amqplib's callback would close the channel. `receive` never throws.
    ({ consumerTag } = await channel.consume(queue, receive));
  }

  /**
   * Cancels the subscription while the handler must not be called: the queue keeps the messages, and the broker may give them to other
   * consumers. Messages already received stay here, since a quorum queue drops a message that is requeued too often.
   */
  async function suspend(): Promise<void> {
    if (paused) return;
    paused = true;
    try {
      await channel.cancel(consumerTag);
      for (;;) {
        while (unsettled.size > 0 && !closed.aborted) await settled.wait();
        if (closed.aborted || draining) return;
        const waitMs = worker.breaker.waitMs(performance.now());
        if (waitMs === 0) break;
        await pause(waitMs, closed);
      }
      paused = false;
      await subscribe();
    } catch (error) {
      // The channel or the queue is gone; the code that depends on them detects both.
      log.debug({ queue, error: messageOf(error) }, "The subscription could not be paused");
      if (!closed.aborted) cancelled.resolve();
    }
  }

  worker.onPause = () => void suspend();
  await channel.prefetch(prefetch);
  await subscribe();

  return {
    cancelled: cancelled.promise,
    async drain() {
      draining = true;
      clearInterval(looking);
      const drained = worker.drain();
      // A broker that hangs never replies.
      if (!closed.aborted)
        await atMost(
          answerTimeoutMs,
          channel.cancel(consumerTag).catch(() => {}),
        );
      await drained;
      // Closing the channel requeues the remaining messages. Copy those requeued before, since another requeue may exceed the delivery
      // limit.
      if (!closed.aborted && !temporary)
        await atMost(
          answerTimeoutMs,
          putBack(({ message }) => requeuesOf(message) > 0),
        );
      acknowledgements.flush();
      // Closing the connection would discard acknowledgements that are still in transit.
      if (!closed.aborted)
        await atMost(
          answerTimeoutMs,
          channel.close().catch(() => {}),
        );
    },
  };
}
