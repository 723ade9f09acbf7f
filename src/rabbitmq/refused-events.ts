import { type Log, messageOf } from "../observe/logging";
import type { OutgoingMessage } from "./message";
import { type Publisher, Unroutable } from "./publisher";

/** A queue that refuses events, so that the relay waits for it. */
export interface Refusal {
  /** Null: it is none that this program knows. */
  readonly queue: string | null;
  readonly reason: string;
  readonly since: string;
}

export interface RefusedEventsOptions {
  /** The queues that get events of this type, as far as they are known. */
  readonly queuesOf: (eventType: string) => Promise<readonly string[]>;
  /** Why a queue may refuse events; undefined: nothing says that it does. */
  readonly limitOf: (queue: string) => Promise<string | undefined>;
  /** Called when a queue begins to refuse events, and with null when none does any more. */
  readonly onChange: (refusal: Refusal | null) => void;
  readonly logger: Log;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Each attempt on a queue that is not known costs the others a duplicate. */
const longestPauseForUnknownMs = 60_000;

const noLimitKnown = "it is full, or RabbitMQ has another reason that AMQP does not show, such as a policy";

/**
 * Delivers events that RabbitMQ refused: a queue that is full refuses an event for all queues, after the others have taken
 * it. So each queue gets the event once more, directly, and only those that refuse it get it again and again.
 */
export class RefusedEvents {
  #refusal: Refusal | null = null;

  constructor(readonly options: RefusedEventsOptions) {}

  get refusal(): Refusal | null {
    return this.#refusal;
  }

  /**
   * Fulfils when every queue has the event, or `pause` says that it is over.
   *
   * @param pause waits; resolves with false when nothing more is to be sent.
   * @throws {Unroutable} when no queue takes it any more.
   */
  async deliver(publisher: Publisher, message: OutgoingMessage, pause: (ms: number) => Promise<boolean>): Promise<boolean> {
    const { queuesOf, limitOf } = this.options;
    const known = await queuesOf(message.routingKey);
    let waiting = known;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const refusing: string[] = [];
      for (const queue of waiting) if (!(await this.#takes(publisher, message, queue))) refusing.push(queue);
      const [first] = refusing;
      if (first === undefined) break;
      // A channel that closes fails everything as well, and is no refusal.
      if (!(await pause(pauseMs))) return false;
      await this.#tell(first, message);
      waiting = refusing;
    }
    if (this.#refusal?.queue) return true;
    // None refuses it now: either one of them has room again, or it is a queue that somebody else has bound.
    for (const queue of known) if ((await limitOf(queue)) !== undefined) return true;
    for (let pauseMs = firstPauseMs; await pause(pauseMs); pauseMs = Math.min(longestPauseForUnknownMs, pauseMs * 2)) {
      if (pauseMs > firstPauseMs) await this.#tell(null, message);
      if (await this.#takes(publisher, message)) return true;
    }
    return false;
  }

  /** Tells that events go through again. */
  end(): void {
    if (!this.#refusal) return;
    const { queue, since } = this.#refusal;
    this.options.logger.info({ queue, since }, "The queue takes events again");
    this.#change(null);
  }

  /** @param queue undefined: all that are bound. */
  async #takes(publisher: Publisher, message: OutgoingMessage, queue?: string): Promise<boolean> {
    try {
      await publisher.publish(queue === undefined ? message : { ...message, exchange: "", routingKey: queue });
      return true;
    } catch (error) {
      if (!(error instanceof Unroutable)) return false;
      // A queue that is gone misses nothing.
      if (queue !== undefined) return true;
      throw error;
    }
  }

  async #tell(queue: string | null, { options: { messageId } }: OutgoingMessage): Promise<void> {
    if (this.#refusal && (this.#refusal.queue === queue || queue === null)) return;
    const limit = queue === null ? undefined : await this.options.limitOf(queue).catch((error: unknown) => messageOf(error));
    const reason = limit === undefined ? noLimitKnown : `it is full (${limit})`;
    this.options.logger.warn({ queue, reason, event: messageId }, "A queue refuses events; waiting until it takes them");
    this.#change({ queue, reason, since: new Date().toISOString() });
  }

  #change(refusal: Refusal | null): void {
    this.#refusal = refusal;
    this.options.onChange(refusal);
  }
}
