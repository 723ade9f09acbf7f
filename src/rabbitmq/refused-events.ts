import { type Log, messageOf } from "../observe/logging";
import type { LogEntry } from "../store/log";
import { Culprit } from "./culprit";
import type { OutgoingMessage } from "./message";
import { type Publisher, Unroutable } from "./publisher";
import { contentRefusal } from "./reply-code";

/** A queue that refuses events, or an event that RabbitMQ refuses, so that the relay waits. */
export interface RelayRefusal {
  /** Null: it is none that this program knows, or no queue but RabbitMQ itself. */
  readonly queue: string | null;
  /** The event over which RabbitMQ closes the channel. */
  readonly event?: LogEntry;
  readonly reason: string;
  readonly since: string;
}

/** Describes a refusal for a person, with what to do about one that has no other remedy. */
export function refusalText({ queue, event, reason }: RelayRefusal): string {
  if (event) {
    const about = `${event.id} (${event.type}, ${Buffer.byteLength(event.body)} bytes)`;
    return `RabbitMQ closes the channel because of the event ${about}, and all later events wait: ${reason}. Raise max_message_size in rabbitmq.conf above its size.`;
  }
  const who = queue === null ? "An unknown queue" : `"${queue}"`;
  return `${who} refuses events, and the events of all queues wait for it: ${reason}.`;
}

export interface RefusedEventsOptions {
  /** The queues that get events of this type, as far as they are known. */
  readonly queuesOf: (eventType: string) => Promise<readonly string[]>;
  /** Why a queue may refuse events; undefined: nothing says that it does. */
  readonly limitOf: (queue: string) => Promise<string | undefined>;
  /** Called when a queue begins to refuse events, and with null when none does any more. */
  readonly onChange: (refusal: RelayRefusal | null) => void;
  readonly logger: Log;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Each attempt on a queue that is not known costs the others a duplicate. */
const longestPauseForUnknownMs = 60_000;
/** Each attempt on an event over which RabbitMQ closes the channel costs a channel and a line in the log. */
const longestPauseForClosedMs = 60_000;

const noLimitKnown = "it is full, or refuses for another reason that AMQP does not show, such as a policy";

/**
 * Delivers events that RabbitMQ refused: a queue that is full refuses an event for all queues, after the others have taken
 * it. So each queue gets the event once more, directly, and only those that refuse it get it again and again.
 */
export class RefusedEvents {
  #refusal: RelayRefusal | null = null;
  readonly #culprit = new Culprit();
  /** How often RabbitMQ has closed the channel over the event of `#refusal`. */
  #closed = 0;

  constructor(readonly options: RefusedEventsOptions) {}

  get refusal(): RelayRefusal | null {
    return this.#refusal;
  }

  /** Returns whether the event at this position must be the only one in flight, as RabbitMQ may close the channel over it. */
  isSuspect(position: number): boolean {
    return this.#culprit.isSuspect(position);
  }

  /**
   * Sees to the events that were in flight when the channel closed. Returns how long to wait before they are sent again, in milliseconds. An
   * event over which RabbitMQ closes the channel again and again is never skipped.
   */
  pauseAfterClose(inFlight: readonly { readonly entry: LogEntry }[], closed: AbortSignal): number {
    const reason = contentRefusal(closed);
    const event = reason === undefined ? undefined : this.#culprit.blame(inFlight.map(({ entry }) => entry));
    if (reason === undefined || event === undefined) return 0;
    this.#closed = this.#refusal?.event?.id === event.id ? this.#closed + 1 : 0;
    if (this.#closed === 0) {
      const about = { event: event.id, position: event.position, bytes: Buffer.byteLength(event.body), reason };
      this.options.logger.warn(about, "RabbitMQ closes the channel because of an event; waiting until it accepts the event");
      this.#change({ queue: null, event, reason, since: new Date().toISOString() });
    }
    return Math.min(longestPauseForClosedMs, firstPauseMs * 2 ** this.#closed);
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

  /**
   * Tells that events go through again.
   *
   * @param position position up to which everything is confirmed.
   */
  end(position: number): void {
    if (!this.#refusal) return;
    const { queue, event, since } = this.#refusal;
    if (event && event.position > position) return;
    if (event) this.options.logger.info({ event: event.id, since }, "RabbitMQ has accepted the event");
    else this.options.logger.info({ queue, since }, "The queue accepts events again");
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
    this.options.logger.warn({ queue, reason, event: messageId }, "A queue refuses events; waiting until it accepts them");
    this.#change({ queue, reason, since: new Date().toISOString() });
  }

  #change(refusal: RelayRefusal | null): void {
    this.#refusal = refusal;
    this.options.onChange(refusal);
  }
}
