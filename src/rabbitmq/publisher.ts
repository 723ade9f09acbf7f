import { messageOf } from "../observe/logging";
import { LeadLost } from "../store/errors";
import type { ConfirmChannel, Message } from "./connection";
import { headerFrameBytes } from "./frame-size";
import type { OutgoingMessage } from "./message";

/** Members of an amqplib confirm channel that publishing needs. */
export type PublishChannel = Pick<ConfirmChannel, "publish"> & {
  /** Has the negotiated `frameMax`, which amqplib's types leave out. */
  readonly connection?: object;
  on(event: "return", listener: (message: Message) => void): unknown;
  on(event: "drain" | "close", listener: () => void): unknown;
};

/** Thrown when no queue accepted the message. */
export class Unroutable extends Error {
  override readonly name = "Unroutable";
  constructor(readonly routedTo: OutgoingMessage) {
    super(`No queue is bound for "${routedTo.routingKey}" on exchange "${routedTo.exchange}"`);
  }
}

/** Thrown when amqplib cannot encode the message: a property is invalid, or the properties together exceed the frame size. */
export class Unsendable extends Error {
  override readonly name = "Unsendable";
}

/** Frame size, in bytes, that RabbitMQ and amqplib negotiate unless one of them asks for less. */
const defaultFrameMax = 131_072;

/** Publishes on one confirm channel. */
export class Publisher {
  readonly #returned = new Set<string>();
  #closed = false;
  #drained: PromiseWithResolvers<void> | undefined;

  /** @param mayPublish asked before each message. Default: always. */
  constructor(
    readonly channel: PublishChannel,
    readonly mayPublish: () => boolean = () => true,
  ) {
    // RabbitMQ sends the return of an unroutable message before its confirm, and that confirm reports success.
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
   * Resolves when the broker has confirmed the message. After a rejection the message may still have been delivered: publish it again with
   * the same `messageId`.
   *
   * @throws {Unroutable} if no queue accepted it.
   * @throws {Unsendable} if it cannot be encoded.
   * @throws {LeadLost} if this process must not publish.
   */
  publish(message: OutgoingMessage): Promise<void> {
    return new Promise((resolve, reject) => this.send(message, (error) => (error ? reject(error) : resolve())));
  }

  /** Largest frame that RabbitMQ accepts on this connection, in bytes. */
  get frameMax(): number {
    const { connection } = this.channel;
    const negotiated = connection && "frameMax" in connection ? connection.frameMax : undefined;
    return typeof negotiated === "number" ? negotiated : defaultFrameMax;
  }

  /**
   * Publishes the first of these messages that can be encoded. Each has fewer details than the one before it.
   *
   * @throws Same as {@link publish}; {@link Unsendable} if none of them can be encoded.
   */
  async publishFirst(messages: Iterable<OutgoingMessage>): Promise<void> {
    let unsendable = new Unsendable("There is no message to publish");
    for (const message of messages) {
      const problem = this.frameProblem(message);
      if (problem !== undefined) {
        unsendable = new Unsendable(problem);
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

  /** Returns why the properties of a message cannot be sent. Returns undefined if they fit into a frame. */
  frameProblem({ options }: OutgoingMessage): string | undefined {
    const bytes = headerFrameBytes(options);
    return bytes > this.frameMax ? `The properties have ${bytes} bytes; a frame can have at most ${this.frameMax}` : undefined;
  }

  /** Same as {@link publish}, with a callback instead of a promise: one promise per event was measured to slow down the relay. */
  send(message: OutgoingMessage, settled: (error?: Error) => void): void {
    if (!this.mayPublish()) {
      settled(new LeadLost("Another process may publish now."));
      return;
    }
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

  /** Undefined while the socket keeps up. Otherwise resolves when it has drained or is closed. */
  get drained(): Promise<void> | undefined {
    return this.#drained?.promise;
  }
}
