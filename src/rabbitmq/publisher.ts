import { messageOf } from "../observe/logging";
import type { ConfirmChannel, Message } from "./connection";
import { headerFrameBytes } from "./frame-size";
import type { OutgoingMessage } from "./message";

/** What publishing needs of a confirm channel of amqplib. */
export type PublishChannel = Pick<ConfirmChannel, "publish"> & {
  /** Knows the largest frame that was negotiated, which amqplib's types leave out. */
  readonly connection?: object;
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

/** amqplib cannot write the message: a property is not valid, or all of them are too large for a frame. */
export class Unsendable extends Error {
  override readonly name = "Unsendable";
}

/** What RabbitMQ and amqplib agree on unless one of them asks for less. */
const defaultFrameMax = 131_072;

/** Publishes on one confirm channel. */
export class Publisher {
  readonly #returned = new Set<string>();
  #closed = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(readonly channel: PublishChannel) {
    // RabbitMQ sends the return of an unroutable message before its confirm, which then says ok all the same.
    channel.on("return", (message) => this.#returned.add(String(message.properties.messageId)));
    const resume = () => {
      this.#drained?.resolve();
      this.#drained = undefined;
    };
    channel.on("drain", resume);
    channel.on("close", () => {
      this.#closed = true;
      resume();
    });
  }

  /**
   * Fulfils when the broker has taken responsibility for the message. A rejection does not say that the message was
   * not delivered: publish it again, with the same `messageId`.
   *
   * @throws {Unroutable} when no queue took it.
   * @throws {Unsendable} when it cannot be written.
   */
  publish(message: OutgoingMessage): Promise<void> {
    return new Promise((resolve, reject) => this.send(message, (error) => (error ? reject(error) : resolve())));
  }

  /** The largest frame that RabbitMQ takes on this connection, in bytes. */
  get frameMax(): number {
    const { connection } = this.channel;
    const negotiated = connection && "frameMax" in connection ? connection.frameMax : undefined;
    return typeof negotiated === "number" ? negotiated : defaultFrameMax;
  }

  /**
   * Publishes the first of these messages that can be written; each says less than the one before it.
   *
   * @throws as {@link publish}; {@link Unsendable} if none of them can be written.
   */
  async publishFirst(messages: Iterable<OutgoingMessage>): Promise<void> {
    let unsendable = new Unsendable("There is no message to publish");
    for (const message of messages) {
      const bytes = headerFrameBytes(message.options);
      if (bytes > this.frameMax) {
        unsendable = new Unsendable(`The properties take ${bytes} bytes; a frame may have ${this.frameMax}`);
        continue;
      }
      try {
        return await this.publish(message);
      } catch (error) {
        if (!(error instanceof Unsendable)) throw error;
        unsendable = error;
      }
    }
    throw unsendable;
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
      const isClosed = this.#closed || (error instanceof Error && error.name === "IllegalOperationError");
      settle(isClosed ? error : new Unsendable(messageOf(error), { cause: error }));
    }
  }

  /** Undefined while the socket keeps up; else fulfils when it does again, or is closed. */
  get drained(): Promise<void> | undefined {
    return this.#drained?.promise;
  }
}
