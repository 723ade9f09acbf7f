import type { Delivery } from "../delivery/delivery";
import type { Interrupted } from "../delivery/interrupted";
import type { Failure, Outcome } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import type { MessageOrigin } from "../observe/tracing";
import type { ReplayMark } from "../store/replay";
import { Signal } from "../timing/signal";
import { Acknowledgements } from "./acknowledgements";
import { aborted, type ConfirmChannel, type ConsumeMessage } from "./connection";
import { copyOf, encodingOf, failuresOf, isRedriven, originOf, replayMarkOf, requeuesOf, unhandledCopyOf } from "./failed-copy";
import { type PublishChannel, Publisher } from "./publisher";

const answerTimeoutMs = 1500;
/** RabbitMQ closes the channel of a consumer that has held a message for 30 minutes. */
const [longestHoldMs, lookAtHeldEveryMs] = [15 * 60_000, 60_000];

/** What consuming needs of a confirm channel of amqplib. */
export type ConsumerChannel = PublishChannel & Pick<ConfirmChannel, "prefetch" | "consume" | "cancel" | "ack" | "close">;

/** Makes the queues that a message is moved to, and answers their names. */
export interface Parking {
  retryQueue(delayMs: number): Promise<string>;
  deadQueue(): Promise<string>;
  /** Tells that a queue is not there any more. */
  forget(): void;
}

export interface Subscription {
  /** Fulfils when the broker has taken the subscription away, as it does when the queue is deleted. */
  readonly cancelled: Promise<void>;
  /** Takes no more messages, and closes the channel when those in hand are settled. Those not begun stay in the queue. */
  drain(): Promise<void>;
}

/**
 * Hands the messages of one queue to a worker, and settles them as it decides. A copy for a retry or a dead letter is
 * confirmed before its original is acknowledged.
 *
 * @param closed aborts when the channel is gone: whatever was not settled then is delivered anew.
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
      if (outcome.action !== "ack" && !(await park(message, outcome))) return;
      this.#acknowledge(outcome);
    }
    get heldMs(): number {
      return performance.now() - this.#arrivedAt;
    }
    /** Puts a copy at the end of the queue: to requeue the message itself would count as a delivery on a quorum queue. */
    async putBack(): Promise<void> {
      try {
        await publisher.publish(unhandledCopyOf(this.message, queue));
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

  /** Puts back messages that the handler has not begun. */
  async function putBack(isDue: (delivery: MessageDelivery) => boolean): Promise<void> {
    const due = worker.giveBack((delivery) => isDue(delivery as MessageDelivery)) as MessageDelivery[];
    await Promise.all(due.map((delivery) => delivery.putBack()));
  }

  /** Copies a message to where it waits or rests; false when the channel went before that was confirmed. */
  async function park(message: ConsumeMessage, outcome: Failure): Promise<boolean> {
    // A temporary queue has no place of its own that outlives it; the event itself is still in the log.
    if (temporary && outcome.action === "dead-letter") return true;
    for (let pauseMs = 100; !closed.aborted; pauseMs = Math.min(5000, pauseMs * 2)) {
      try {
        const target = outcome.action === "retry" ? await parking.retryQueue(outcome.delayMs) : await parking.deadQueue();
        await publishCopy(publisher, target, message, outcome);
        return true;
      } catch (error) {
        if (closed.aborted) break;
        parking.forget();
        const { id, traceparent } = originOf(message, { queue, temporary });
        log.error(
          { queue, event: id, ...traceField(traceparent), error: messageOf(error), pauseMs },
          "A failed event could not be moved; it stays unacknowledged and this is tried again",
        );
        await Promise.race([Bun.sleep(pauseMs), aborted(closed)]);
      }
    }
    return false;
  }

  async function publishCopy(publisher: Publisher, target: string, message: ConsumeMessage, outcome: Failure): Promise<void> {
    const now = new Date();
    try {
      await publisher.publish(copyOf(message, target, queue, outcome, now));
    } catch (error) {
      // Headers that a message came with may leave no room for ours, or be of a kind that amqplib reads but cannot write.
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      await publisher.publish(copyOf(message, target, queue, outcome, now, { withoutItsHeaders: true }));
    }
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
    // An exception inside amqplib's callback would close the channel; nothing in `receive` throws.
    ({ consumerTag } = await channel.consume(queue, receive));
  }

  /**
   * While the handler is not to be called, the queue keeps the messages, and the broker may give them to others. Those
   * that are here already stay: a quorum queue drops what was requeued too often.
   */
  async function pause(): Promise<void> {
    if (paused) return;
    paused = true;
    try {
      await channel.cancel(consumerTag);
      for (;;) {
        while (unsettled.size > 0 && !closed.aborted) await settled.wait();
        if (closed.aborted || draining) return;
        const waitMs = worker.breaker.waitMs(performance.now());
        if (waitMs === 0) break;
        await Promise.race([Bun.sleep(waitMs), aborted(closed)]);
      }
      paused = false;
      await subscribe();
    } catch (error) {
      // The channel went, or the queue; both are noticed where they matter.
      log.debug({ queue, error: messageOf(error) }, "The subscription could not be paused");
      if (!closed.aborted) cancelled.resolve();
    }
  }

  worker.onPause = () => void pause();
  await channel.prefetch(prefetch);
  await subscribe();

  return {
    cancelled: cancelled.promise,
    async drain() {
      draining = true;
      clearInterval(looking);
      const drained = worker.drain();
      // A broker that has frozen answers nothing.
      if (!closed.aborted) await Promise.race([channel.cancel(consumerTag).catch(() => {}), Bun.sleep(answerTimeoutMs)]);
      await drained;
      // The close of the channel requeues the others. That may be once too often for those that were requeued before.
      if (!closed.aborted && !temporary)
        await Promise.race([putBack(({ message }) => requeuesOf(message) > 0), Bun.sleep(answerTimeoutMs)]);
      acknowledgements.flush();
      // The close of the connection would overtake acknowledgements that are still on their way.
      if (!closed.aborted) await Promise.race([channel.close().catch(() => {}), Bun.sleep(answerTimeoutMs)]);
    },
  };
}

/** Tells one message from another, also where a publisher gave both the same id, or where one is a replay of the other. */
function identityOf(message: ConsumeMessage): string {
  return `${message.properties.messageId}:${replayMarkOf(message)}:${Bun.hash(message.content)}`;
}
