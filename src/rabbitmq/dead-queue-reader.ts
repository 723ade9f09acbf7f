import type { Watch } from "../delivery/dead-letters";
import { Signal } from "../timing/signal";
import type { ConfirmChannel, ConsumeMessage } from "./connection";
import { keptCopiesOf } from "./copies";
import { requeuesOf } from "./message-headers";
import { Publisher } from "./publisher";

/** Progress and cancellation of a reading. */
export interface Reading extends Pick<Watch, "stop"> {
  /** Called with the number of messages looked at so far, and the total number. */
  readonly onProgress?: (looked: number, of: number) => void;
  /** Maximum number of messages to look at, the oldest ones. Default: all that are there at the start. */
  readonly most?: number | undefined;
}

/** Decision about a dead letter. `enough` keeps it and stops reading. */
export type Verdict = "keep" | "remove" | "enough";
/**
 * Decides about one dead letter.
 *
 * @param closed Aborts when the publisher's channel closes.
 */
export type Look = (message: ConsumeMessage, publisher: Publisher, closed: AbortSignal) => Verdict | Promise<Verdict>;

/** Thrown when another reader is using the same queue. */
export class QueueTaken extends Error {
  override readonly name = "QueueTaken";
  constructor(queue: string, options?: ErrorOptions) {
    super(`Another program reads the queue "${queue}"`, options);
  }
}

/** Prefetch of the reader: `fewAhead` until that many messages were read and all are smaller than `largeBytes`, then `manyAhead`. */
const [fewAhead, manyAhead] = [16, 256];
const largeBytes = 64 * 1024;
/**
 * Number of requeues after which a copy at the end of the queue replaces the message. On a quorum queue, each read counts as a delivery,
 * and RabbitMQ drops a message that exceeds the limit, which is 20 in RabbitMQ 4.
 */
const mostRequeues = 10;
/** Interval at which the reader checks whether the remaining messages are gone. */
const lookAgainMs = 250;

/** Passes the messages that are in a queue when it starts to `look`, on one channel. */
export class DeadQueueReader {
  readonly #publisher: Publisher;
  /** Raised when a message arrives or is done, and when the reader should end. */
  readonly #moved = new Signal();
  #movedAt = performance.now();
  /** Number of messages to look at, of those begun, and of those that are being looked at. */
  #count = 0;
  #begun = 0;
  #working = 0;
  #largestBytes = 0;
  #hasEnough = false;
  #isCancelled = false;
  #failure: unknown;
  #subscription: { readonly tag: string; readonly prefetch: number; kept: number } | undefined;
  #isSubscribing = false;
  /** Messages that arrived while the subscription was being replaced. */
  readonly #waiting: ConsumeMessage[] = [];

  constructor(
    readonly channel: ConfirmChannel,
    readonly closed: AbortSignal,
    readonly queue: string,
    readonly look: Look,
    readonly watch: Reading,
  ) {
    this.#publisher = new Publisher(channel);
    for (const signal of [closed, watch.stop]) signal?.addEventListener("abort", () => this.#moved.raise(), { once: true });
  }

  /** @throws {QueueTaken} if the queue has a consumer. */
  async run(): Promise<void> {
    const { messageCount, consumerCount } = await this.channel.checkQueue(this.queue);
    // `messageCount` leaves out messages that another reader holds.
    if (consumerCount > 0) throw new QueueTaken(this.queue);
    this.#count = Math.min(messageCount, this.watch.most ?? messageCount);
    while (!this.#isEnded) {
      if (!this.#hasRoom) await this.#subscribe();
      await this.#moved.wait(lookAgainMs);
      if (this.#isIdle && !this.#isEnded && (await this.#isEmpty()) && this.#isIdle) break;
    }
    await this.#untilDone();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.closed.aborted) throw new Error("the connection to RabbitMQ was lost");
  }

  get #isEnded(): boolean {
    const { closed, watch } = this;
    return (
      closed.aborted ||
      watch.stop?.aborted ||
      this.#isCancelled ||
      this.#hasEnough ||
      this.#failure !== undefined ||
      this.#begun === this.#count
    );
  }

  get #isIdle(): boolean {
    return this.#working === 0 && performance.now() - this.#movedAt >= lookAgainMs;
  }

  /** Messages sent before the first reply arrive before the second, so two empty checks in a row mean that none is in transit. */
  async #isEmpty(): Promise<boolean> {
    for (let check = 0; check < 2; check += 1) if ((await this.channel.checkQueue(this.queue)).messageCount > 0) return false;
    return true;
  }

  async #untilDone(): Promise<void> {
    while (this.#working > 0 && !this.closed.aborted) await this.#moved.wait();
  }

  get #prefetch(): number {
    return this.#largestBytes < largeBytes && this.#begun >= fewAhead ? manyAhead : fewAhead;
  }

  /** False if the prefetch should change, or kept messages use up half of it. */
  get #hasRoom(): boolean {
    const subscription = this.#subscription;
    return subscription?.prefetch === this.#prefetch && subscription.kept < subscription.prefetch / 2;
  }

  /**
   * Subscribes, replacing the current subscription. Another program that subscribes in between makes RabbitMQ close the channel, and a
   * message that was published but not acknowledged would exist twice. So everything that was begun finishes first.
   */
  async #subscribe(): Promise<void> {
    this.#isSubscribing = true;
    await this.#untilDone();
    if (!this.#isEnded) {
      const next = { tag: crypto.randomUUID(), prefetch: this.#prefetch, kept: 0 };
      // Applies to subscriptions made after this.
      await this.channel.prefetch(next.prefetch);
      if (this.#subscription) await this.channel.cancel(this.#subscription.tag);
      this.#subscription = next;
      const receive = (message: ConsumeMessage | null) => this.#receive(message);
      await this.channel.consume(this.queue, receive, { exclusive: true, consumerTag: next.tag });
    }
    this.#isSubscribing = false;
    for (const message of this.#waiting.splice(0)) this.#begin(message);
  }

  #receive(message: ConsumeMessage | null): void {
    if (message === null) this.#isCancelled = true;
    else if (this.#isSubscribing) this.#waiting.push(message);
    else this.#begin(message);
    this.#moved.raise();
  }

  #begin(message: ConsumeMessage): void {
    // This message was not in the queue at the beginning, or is no longer wanted. It returns to the queue when the channel closes.
    if (this.#isEnded) return;
    this.#begun += 1;
    this.#working += 1;
    this.#largestBytes = Math.max(this.#largestBytes, message.content.length);
    void this.#lookAt(message);
  }

  async #lookAt(message: ConsumeMessage): Promise<void> {
    try {
      const verdict = await this.look(message, this.#publisher, this.closed);
      await this.#settle(message, verdict);
      if (verdict === "enough") this.#hasEnough = true;
    } catch (error) {
      this.#failure ??= error;
    }
    this.#working -= 1;
    this.#movedAt = performance.now();
    this.watch.onProgress?.(this.#begun - this.#working, this.#count);
    this.#moved.raise();
  }

  async #settle(message: ConsumeMessage, verdict: Verdict): Promise<void> {
    if (verdict === "remove") this.channel.ack(message);
    else if (requeuesOf(message) >= mostRequeues) {
      await this.#publisher.publishFirst(keptCopiesOf(message, this.queue));
      this.channel.ack(message);
    } else if (this.#subscription?.tag === message.fields.consumerTag) this.#subscription.kept += 1;
  }
}
