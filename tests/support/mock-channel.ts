// A confirm channel of amqplib without a broker. The test decides how and when the broker responds.
import { EventEmitter } from "node:events";
import type { ConfirmChannel, ConsumeMessage, Message, Options } from "../../src/rabbitmq/connection";
import { settled } from "./settled";

/** A published message, with every response that a broker can give. */
export class Published {
  /** True if the broker has responded. */
  answered = false;

  constructor(
    readonly exchange: string,
    readonly routingKey: string,
    readonly content: Buffer,
    readonly options: Options.Publish,
    readonly channel: MockChannel,
    readonly callback: (error: unknown) => void,
  ) {}

  confirm(): void {
    this.#answer(null);
  }

  nack(): void {
    this.#answer(new Error("message nacked"));
  }

  /** Returns the message as unroutable. As with RabbitMQ, the return comes first, followed by a successful confirm. */
  return(): void {
    const message = { fields: { exchange: this.exchange, routingKey: this.routingKey }, properties: this.options, content: this.content };
    this.channel.emit("return", message);
    this.confirm();
  }

  /** Calls back with an error, as a closing channel does. */
  fail(error: Error): void {
    this.#answer(error);
  }

  #answer(error: unknown): void {
    if (this.answered) throw new Error("This message was answered already");
    this.answered = true;
    this.callback(error);
  }
}

type Consumed = (message: ConsumeMessage | null) => void;
type Shape = Pick<ConfirmChannel, "publish" | "prefetch" | "consume" | "cancel" | "ack" | "nack" | "close">;

export class MockChannel extends EventEmitter implements Shape {
  readonly published: Published[] = [];
  /** Responds to each message when it is published. If undefined, the broker is silent until the test responds. */
  broker: ((message: Published) => void) | undefined;
  /** True if the socket is full. `publish` then returns false but still accepts the message. */
  full = false;
  closed = false;
  prefetched: number | undefined;
  readonly acked: Message[] = [];
  readonly cancelled: string[] = [];
  readonly consumers = new Map<string, { queue: string; take: Consumed }>();
  /** Every call that reaches the broker, in order: `publish item.created`, `ack 1`. */
  readonly calls: string[] = [];
  readonly #closing = new AbortController();
  #tag = 0;
  readonly #unsettled = new Map<number, Message>();

  /** Aborts when the channel closes, like the signal that `Broker.keepChannel` passes on. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Options.Publish = {},
    callback?: (error: unknown, ok: object) => void,
  ): boolean {
    this.#refuseIfClosed();
    const message = new Published(exchange, routingKey, content, options, this, (error) => callback?.(error, {}));
    this.published.push(message);
    this.calls.push(`publish ${exchange === "" ? "" : `${exchange} `}${routingKey}`);
    this.emit("published");
    const { broker } = this;
    // Never respond inside `publish` itself: a real response arrives over the network.
    if (broker) queueMicrotask(() => this.closed || message.answered || broker(message));
    return !this.full;
  }

  async prefetch(count: number): Promise<object> {
    this.#refuseIfClosed();
    this.prefetched = count;
    return {};
  }

  async consume(queue: string, take: Consumed, options: Options.Consume = {}): Promise<{ consumerTag: string }> {
    this.#refuseIfClosed();
    const consumerTag = options.consumerTag ?? `consumer-${this.consumers.size + 1}`;
    this.consumers.set(consumerTag, { queue, take });
    this.calls.push(`consume ${queue}`);
    return { consumerTag };
  }

  async cancel(consumerTag: string): Promise<{ consumerTag: string }> {
    this.#refuseIfClosed();
    this.cancelled.push(consumerTag);
    this.calls.push(`cancel ${consumerTag}`);
    return { consumerTag };
  }

  nack(message: Message, allUpTo = false): void {
    this.#refuseIfClosed();
    for (const tag of this.#unsettled.keys()) {
      if (tag !== message.fields.deliveryTag && !(allUpTo && tag < message.fields.deliveryTag)) continue;
      this.#unsettled.delete(tag);
      this.calls.push(`nack ${tag}`);
    }
  }

  ack(message: Message, allUpTo = false): void {
    this.#refuseIfClosed();
    const tag = message.fields.deliveryTag;
    // RabbitMQ closes the channel in this case.
    if (!this.#unsettled.has(tag)) throw new Error(`unknown delivery tag ${tag}`);
    for (const [other, delivered] of this.#unsettled) {
      if (other !== tag && !(allUpTo && other < tag)) continue;
      this.#unsettled.delete(other);
      this.acked.push(delivered);
      this.calls.push(`ack ${other}`);
    }
    this.emit("acked");
  }

  /** Delivers a message to every active consumer of the channel. */
  deliver(
    content: Buffer | string,
    properties: Partial<ConsumeMessage["properties"]> = {},
    fields: Partial<ConsumeMessage["fields"]> = {},
  ): ConsumeMessage {
    this.#tag += 1;
    const message = {
      content: Buffer.from(content),
      properties: { headers: {}, ...properties },
      fields: { deliveryTag: this.#tag, redelivered: false, exchange: "events", routingKey: "item.created", consumerTag: "", ...fields },
    } as ConsumeMessage;
    this.#unsettled.set(message.fields.deliveryTag, message);
    for (const [tag, { take }] of this.consumers) if (!this.cancelled.includes(tag)) take(message);
    return message;
  }

  /** Cancels the subscriptions, as the broker does when the queue is deleted. */
  deleteQueue(): void {
    for (const { take } of this.consumers.values()) take(null);
  }

  /**
   * Closes the channel: unconfirmed messages fail, and every later call throws.
   *
   * @param reason RabbitMQ's error, if it closes the channel.
   */
  async close(reason?: Error): Promise<void> {
    this.closed = true;
    for (const message of this.published) if (!message.answered) message.fail(new Error("channel closed"));
    this.#closing.abort(reason);
    this.emit("close");
  }

  /** Signals that the socket has room again. */
  drain(): void {
    this.full = false;
    this.emit("drain");
  }

  /** Resolves when `count` messages have been published in total. */
  async untilPublished(count: number): Promise<readonly Published[]> {
    await this.#until("published", () => this.published.length >= count);
    return this.published;
  }

  /** Resolves when `count` messages have been acknowledged in total. */
  async untilAcked(count: number): Promise<readonly Message[]> {
    await this.#until("acked", () => this.acked.length >= count);
    return this.acked;
  }

  async #until(event: string, done: () => boolean): Promise<void> {
    while (!done()) await new Promise((resolve) => this.once(event, resolve));
    await settled();
  }

  #refuseIfClosed(): void {
    // Throws synchronously, as amqplib does.
    if (this.closed) throw new Error("Channel closed");
  }
}
