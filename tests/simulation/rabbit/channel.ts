import { EventEmitter } from "node:events";
import type { SimulatedConnection } from "./connection";
import type { Message } from "./queue";
import { type BrokerChannel, type ChannelEnd, ChannelError } from "./session";

type Consumed = (message: object | null) => void;
interface DeclareOptions {
  readonly durable?: boolean;
  readonly exclusive?: boolean;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** The part of amqplib's channel that Warren uses. */
export class SimulatedChannel extends EventEmitter implements ChannelEnd {
  #broker: BrokerChannel | undefined;
  #isClosed = false;
  #sequence = 0;
  #consumerTags = 0;
  readonly #unconfirmed = new Map<number, (error: Error | null) => void>();
  readonly #asked = new Set<(error: Error) => void>();
  readonly #consumers = new Map<string, Consumed>();

  constructor(readonly connection: SimulatedConnection) {
    super();
  }

  async open(): Promise<this> {
    await this.#ask(() => {
      this.#broker = this.connection.session?.openChannel(this);
    });
    return this;
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Readonly<Record<string, unknown>> = {},
    callback: (error: Error | null) => void = () => {},
  ): boolean {
    this.#refuseIfClosed();
    this.#sequence += 1;
    const sequence = this.#sequence;
    const { mandatory, ...properties } = options;
    const message: Message = { exchange, routingKey, content, properties };
    this.#unconfirmed.set(sequence, callback);
    const { world, process } = this.connection;
    if (!process.act(`a publish (${exchange} ${routingKey})`)) return true;
    this.#send((channel) => {
      channel.session.hasPublished = true;
      const { broker } = channel.session;
      if (exchange !== "" && !broker.exchanges.has(exchange))
        throw new ChannelError(404, `NOT_FOUND - no exchange '${exchange}' in vhost '/'`);
      const routed = broker.publish(message, (refused) => channel.tell((end) => end.confirm(sequence, refused)));
      if (!routed && mandatory) channel.tell((end) => end.returned(message));
    });
    const isFull = world.chance.chance(0.03);
    if (isFull) process.setTimer(() => this.emit("drain"), 1 + world.chance.below(5), false);
    return !isFull;
  }

  ack(message: { fields: { deliveryTag: number } }, allUpTo = false): void {
    this.#settle("an ack", message, allUpTo, false);
  }

  nack(message: { fields: { deliveryTag: number } }, allUpTo = false, requeue = true): void {
    this.#settle("a nack", message, allUpTo, requeue);
  }

  #settle(what: string, message: { fields: { deliveryTag: number } }, allUpTo: boolean, requeue: boolean): void {
    this.#refuseIfClosed();
    if (!this.connection.process.act(what)) return;
    this.#send((channel) => channel.settle(message.fields.deliveryTag, allUpTo, requeue));
    this.connection.process.act(`the end of ${what}`);
  }

  prefetch(count: number, global = false): Promise<object> {
    return this.#ask((channel) => {
      channel[global ? "globalPrefetch" : "prefetch"] = count;
      return {};
    });
  }

  async consume(
    queue: string,
    consumed: Consumed,
    options: { consumerTag?: string; exclusive?: boolean } = {},
  ): Promise<{ consumerTag: string }> {
    this.#consumerTags += 1;
    const { consumerTag = `consumer-${this.#consumerTags}` } = options;
    this.#consumers.set(consumerTag, consumed);
    await this.#ask((channel) => channel.subscribe(this.#queue(channel, queue), consumerTag, options.exclusive === true));
    return { consumerTag };
  }

  cancel(consumerTag: string): Promise<object> {
    return this.#ask((channel) => {
      channel.drop(channel.subscribers.get(consumerTag));
      return { consumerTag };
    });
  }

  assertExchange(exchange: string): Promise<object> {
    return this.#ask(({ session }) => session.broker.exchanges.add(exchange));
  }

  assertQueue(queue: string, { durable = true, exclusive = false, arguments: args = {} }: DeclareOptions = {}): Promise<object> {
    return this.#ask(({ session }) => {
      const known = session.broker.queues.get(queue);
      if (known && JSON.stringify(known.options.arguments) !== JSON.stringify(args)) {
        throw new ChannelError(406, `PRECONDITION_FAILED - inequivalent arg for queue '${queue}'`);
      }
      session.broker.declareQueue(queue, { durable, exclusive, arguments: args });
      if (exclusive) session.exclusiveQueues.push(queue);
      return { queue };
    });
  }

  checkQueue(queue: string): Promise<object> {
    return this.#ask((channel) => {
      const { entries, subscribers } = this.#queue(channel, queue);
      return { queue, messageCount: entries.length, consumerCount: subscribers.length };
    });
  }

  bindQueue(queue: string, exchange: string, pattern: string): Promise<object> {
    return this.#ask((channel) => {
      this.#queue(channel, queue);
      channel.session.broker.bind({ exchange, pattern, queue });
      return {};
    });
  }

  unbindQueue(queue: string, exchange: string, pattern: string): Promise<object> {
    return this.#ask(({ session }) => {
      session.broker.unbind({ exchange, pattern, queue });
      return {};
    });
  }

  async close(): Promise<void> {
    this.#refuseIfClosed();
    await this.#ask((channel) => channel.close());
    this.shut();
  }

  confirm(sequence: number, refused: boolean): void {
    const callback = this.#unconfirmed.get(sequence);
    this.#unconfirmed.delete(sequence);
    callback?.(refused ? new Error("message nacked") : null);
  }

  returned({ exchange, routingKey, content, properties }: Message): void {
    if (!this.#isClosed) this.emit("return", { fields: { exchange, routingKey }, properties, content });
  }

  deliver(consumerTag: string, deliveryTag: number, { exchange, routingKey, content, properties }: Message, redelivered: boolean): void {
    if (this.#isClosed) return;
    const headers = { ...properties.headers };
    const fields = { consumerTag, deliveryTag, redelivered, exchange, routingKey };
    this.#consumers.get(consumerTag)?.({ fields, properties: { ...properties, headers }, content });
  }

  cancelledByBroker(consumerTag: string): void {
    if (!this.#isClosed) this.#consumers.get(consumerTag)?.(null);
  }

  failed(code: number, text: string): void {
    const error = Object.assign(new Error(`Channel closed by server: ${code} with message "${text}"`), { code });
    if (this.#isClosed) return;
    this.emit("error", error);
    this.shut(error);
  }

  /** Closes the channel: pending calls fail, and every later call throws. */
  shut(error = new Error("channel closed")): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.connection.channels.delete(this);
    for (const reject of this.#asked) reject(error);
    for (const callback of this.#unconfirmed.values()) callback(error);
    this.#unconfirmed.clear();
    this.emit("close");
  }

  #queue({ session }: BrokerChannel, name: string) {
    const queue = session.broker.queues.get(name);
    if (!queue) throw new ChannelError(404, `NOT_FOUND - no queue '${name}' in vhost '/'`);
    return queue;
  }

  #refuseIfClosed(): void {
    // Throws synchronously, as amqplib does.
    if (this.#isClosed) throw new Error("Channel closed");
  }

  /** Runs work on the broker, which closes the channel if it is invalid. */
  #send(work: (channel: BrokerChannel) => void): void {
    this.connection.toBroker.send(() => {
      const channel = this.#broker;
      if (!channel?.session.channels.has(channel)) return;
      try {
        work(channel);
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        channel.close();
        channel.tell((end) => end.failed(error.code, error.message));
      }
    });
  }

  #ask<T>(work: (channel: BrokerChannel) => T): Promise<T & object> {
    this.#refuseIfClosed();
    return new Promise((resolve, reject) => {
      this.#asked.add(reject);
      const answer = (channel: BrokerChannel, value: T) =>
        channel.tell(() => {
          this.#asked.delete(reject);
          resolve(value as T & object);
        });
      if (this.#broker) this.#send((channel) => answer(channel, work(channel)));
      // The first request opens the channel.
      else
        this.connection.toBroker.send(() => {
          const value = work(undefined as never);
          if (this.#broker) answer(this.#broker, value);
        });
    });
  }
}
