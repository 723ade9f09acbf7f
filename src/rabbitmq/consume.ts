import type { Consumer } from "../delivery/consumer-options";
import type { Delivery } from "../delivery/delivery";
import type { Outcome } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import { steadyNow } from "../timing/clock";
import { atMost, pause } from "../timing/pause";
import { Signal } from "../timing/signal";
import { Acknowledgements } from "./acknowledgements";
import type { ConfirmChannel, ConsumeMessage } from "./connection";
import { unhandledCopiesOf } from "./copies";
import type { Interrupted } from "./interrupted";
import { MessageDelivery } from "./message-delivery";
import { identityOf, requeuesOf } from "./message-headers";
import { Parker, type Parking } from "./park";
import { type PublishChannel, Publisher } from "./publisher";

const answerTimeoutMs = 1500;
/**
 * Messages held longer than `longestHoldMs` go back to the queue: RabbitMQ closes the channel of a consumer that holds one for 30 minutes.
 */
const [longestHoldMs, lookAtHeldEveryMs] = [15 * 60_000, 60_000];

/** Methods of an amqplib confirm channel that consuming needs. */
export type ConsumerChannel = PublishChannel & Pick<ConfirmChannel, "prefetch" | "consume" | "cancel" | "ack" | "nack" | "close">;

/**
 * Subscribes a worker to its queue. Passes it the messages and settles them as it decides. A copy for a retry or a dead letter is confirmed
 * before its original is acknowledged.
 *
 * @param closed Aborts when the channel closes. The broker then redelivers every unsettled message.
 * @param mostRequeues Number of deliveries from which on a message is given back as a copy. Default: messages are given back themselves.
 */
export async function consumeFrom(
  channel: ConsumerChannel,
  closed: AbortSignal,
  worker: Worker,
  parking: Parking,
  interrupted: Interrupted,
  mostRequeues = Number.POSITIVE_INFINITY,
): Promise<ChannelSubscription> {
  const subscription = new ChannelSubscription(channel, closed, worker, parking, interrupted, mostRequeues);
  await channel.prefetch(worker.consumer.prefetch);
  await subscription.subscribe();
  return subscription;
}

/** A worker's subscription to its queue on one channel. */
export class ChannelSubscription {
  readonly #publisher: Publisher;
  readonly #parker: Parker;
  readonly #acknowledgements: Acknowledgements;
  readonly #unsettled = new Set<ConsumeMessage>();
  /** Raised whenever a message is settled, and when the channel closes. */
  readonly #settled = new Signal();
  readonly #cancelled = Promise.withResolvers<void>();
  readonly #lookingAtHeld: Timer;
  #consumerTag = "";
  #isDraining = false;
  #isSuspended = false;

  constructor(
    readonly channel: ConsumerChannel,
    readonly closed: AbortSignal,
    readonly worker: Worker,
    parking: Parking,
    readonly interrupted: Interrupted,
    readonly mostRequeues: number,
  ) {
    this.#publisher = new Publisher(channel);
    this.#parker = new Parker(this.#publisher, closed, parking, interrupted.suspects, worker.consumer);
    this.#acknowledgements = new Acknowledgements(channel, this.#unsettled, (message, outcome) =>
      interrupted.handled.set(identityOf(message), outcome),
    );
    this.#lookingAtHeld = setInterval(() => void this.#putBack(({ heldMs }) => heldMs > longestHoldMs), lookAtHeldEveryMs);
    closed.addEventListener("abort", () => this.#onClosed(), { once: true });
    worker.onPause = () => void this.#suspend();
  }

  get consumer(): Consumer {
    return this.worker.consumer;
  }

  /** Resolves when the broker has cancelled the subscription, for example because the queue was deleted. */
  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  /** Returns whether RabbitMQ has this subscription: a paused one is cancelled. */
  get isSubscribed(): boolean {
    return !this.#isSuspended && !this.#isDraining;
  }

  /** Returns whether messages are unsettled. After the channel has closed, those that were then. */
  get holdsEvents(): boolean {
    return this.#unsettled.size > 0;
  }

  async subscribe(): Promise<void> {
    // An exception inside amqplib's callback would close the channel. `#receive` never throws.
    const { consumerTag } = await this.channel.consume(this.consumer.queue, (message) => this.#receive(message));
    this.#consumerTag = consumerTag;
  }

  #receive(message: ConsumeMessage | null): void {
    if (message === null) {
      this.#cancelled.resolve();
      return;
    }
    this.#unsettled.add(message);
    const { outcome, isSuspect } = this.interrupted.recall(message);
    if (outcome) void this.settle(message, outcome);
    else this.worker.take(new MessageDelivery(message, isSuspect, this));
  }

  /** Applies an outcome to a message. Does nothing if the channel closes first. */
  async settle(message: ConsumeMessage, outcome: Outcome): Promise<void> {
    if (outcome.action !== "ack" && !(await this.#parker.park(message, outcome))) return;
    this.#acknowledge(message, outcome);
  }

  #acknowledge(message: ConsumeMessage, outcome: Outcome): void {
    this.#unsettled.delete(message);
    this.#acknowledgements.add(message, outcome);
    this.#settled.raise();
  }

  #onClosed(): void {
    clearInterval(this.#lookingAtHeld);
    this.#settled.raise();
    for (const message of this.#unsettled) this.interrupted.held.add(identityOf(message));
    this.interrupted.forgetOldest(this.consumer.prefetch * 2);
  }

  /** Puts messages that the handler has not begun at the end of the queue. */
  async #putBack(isDue: (delivery: MessageDelivery) => boolean): Promise<void> {
    const isOurs = (delivery: Delivery) => delivery instanceof MessageDelivery && isDue(delivery);
    const due = this.worker.giveBack(isOurs) as MessageDelivery[];
    await Promise.all(due.map((delivery) => this.#publishAgain(delivery)));
  }

  /** Replaces a message by a copy. Requeuing the message itself would count as a delivery on a quorum queue. */
  async #publishAgain(delivery: MessageDelivery): Promise<void> {
    const { queue, log } = this.consumer;
    try {
      await this.#publisher.publishFirst(unhandledCopiesOf(delivery.message, queue));
      this.#acknowledge(delivery.message, { action: "ack", result: "skipped" });
    } catch (error) {
      log.debug({ queue, event: delivery.origin.id, error: messageOf(error) }, "Cannot put an event back; keeping it");
      if (!this.closed.aborted) this.worker.take(delivery);
    }
  }

  /**
   * Cancels the subscription while the handler must not be called: the queue keeps the messages, and the broker may give them to other
   * consumers. Messages already received stay here, since a quorum queue drops a message that is requeued too often.
   */
  async #suspend(): Promise<void> {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    try {
      await this.channel.cancel(this.#consumerTag);
      if (!(await this.#mayResume())) return;
      this.#isSuspended = false;
      await this.subscribe();
    } catch (error) {
      // The channel or the queue is gone; the code that depends on them detects both.
      const { queue, log } = this.consumer;
      log.debug({ queue, error: messageOf(error) }, "Cannot pause the subscription");
      if (!this.closed.aborted) this.#cancelled.resolve();
    }
  }

  /** Waits until the handler may be called and nothing is unsettled. Resolves with false if the subscription ends first. */
  async #mayResume(): Promise<boolean> {
    for (;;) {
      while (this.#unsettled.size > 0 && !this.closed.aborted) await this.#settled.wait();
      if (this.closed.aborted || this.#isDraining) return false;
      const waitMs = this.worker.breaker.waitMs(steadyNow());
      if (waitMs === 0) return true;
      await pause(waitMs, this.closed);
    }
  }

  /** Stops taking messages, and closes the channel once those in progress are settled. Messages not begun stay in the queue. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    clearInterval(this.#lookingAtHeld);
    const drained = this.worker.drain();
    await this.#unlessClosed(() => this.channel.cancel(this.#consumerTag));
    await drained;
    // What remains returns to its place in the queue, which counts towards the delivery limit before RabbitMQ 4.3. Copy what is on the way
    // to the limit, although a copy is behind later events.
    if (!this.consumer.temporary) await this.#unlessClosed(() => this.#putBack(({ message }) => requeuesOf(message) >= this.mostRequeues));
    this.#acknowledgements.flush();
    await this.#unlessClosed(async () => this.#requeue());
    // Closing the connection would discard acknowledgements that are still in transit.
    await this.#unlessClosed(() => this.channel.close());
  }

  /**
   * Gives back what remains, one by one: RabbitMQ 3 mixes up the order of what is given back at once. RabbitMQ 4.3 counts a closed channel as
   * a failed delivery, but not this.
   */
  #requeue(): void {
    for (const message of this.#unsettled) this.channel.nack(message, false, true);
  }

  /** Does something that needs the broker, if the channel is open. Waits for a limited time: a broker that hangs never replies. */
  async #unlessClosed(act: () => Promise<unknown>): Promise<void> {
    if (!this.closed.aborted) await atMost(answerTimeoutMs, act()).catch(() => {});
  }
}
