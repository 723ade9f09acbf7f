import type { ConfirmChannel, Message } from "./connection";
import type { OutgoingMessage } from "./message";

/** What publishing needs of a confirm channel of amqplib. */
export type PublishChannel = Pick<ConfirmChannel, "publish"> & {
  on(event: "return", listener: (message: Message) => void): unknown;
  on(event: "drain" | "close", listener: () => void): unknown;
};

/** No queue took the message. */
export class Unroutable extends Error {
  override readonly name = "Unroutable";
  constructor(readonly routedTo: OutgoingMessage) {
    super(`No queue is bound for "${routedTo.routingKey}" on exchange "${routedTo.exchange}"`);
  }
}

/** Publishes on one confirm channel. */
export class Publisher {
  readonly #returned = new Set<string>();
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(readonly channel: PublishChannel) {
    // RabbitMQ sends the return of an unroutable message before its confirm, which then says ok all the same.
    channel.on("return", (message) => this.#returned.add(String(message.properties.messageId)));
    const resume = () => {
      this.#drained?.resolve();
      this.#drained = undefined;
    };
    channel.on("drain", resume);
    channel.on("close", resume);
  }

  /**
   * Fulfils when the broker has taken responsibility for the message. A rejection does not say that the message was
   * not delivered: publish it again, with the same `messageId`.
   *
   * @throws {Unroutable} when no queue took it.
   */
  publish(message: OutgoingMessage): Promise<void> {
    return new Promise((resolve, reject) => this.send(message, (error) => (error ? reject(error) : resolve())));
  }

  /** As {@link publish}, with a callback in place of the promise, which would be a tenth of what the relay does. */
  send(message: OutgoingMessage, settled: (error?: Error) => void): void {
    const { exchange, routingKey, content, options } = message;
    const settle = (error: unknown) => {
      if (this.#returned.size > 0 && this.#returned.delete(options.messageId)) settled(new Unroutable(message));
      else if (error) settled(error instanceof Error ? error : new Error("RabbitMQ refused the message"));
      else settled();
    };
    try {
      const taken = this.channel.publish(exchange, routingKey, content, { ...options, mandatory: true }, settle);
      if (!taken) this.#drained ??= Promise.withResolvers<void>();
    } catch (error) {
      // The channel is closed.
      settle(error);
    }
  }

  /** Undefined while the socket keeps up; else fulfils when it does again, or is closed. */
  get drained(): Promise<void> | undefined {
    return this.#drained?.promise;
  }
}
