import { type Log, messageOf } from "../observe/logging";
import type { LogEntry } from "../store/log";
import { Culprit } from "./culprit";
import type { OutgoingMessage } from "./message";
import { type Publisher, Unroutable } from "./publisher";
import { contentRefusal } from "./reply-code";

/** A queue that refuses events, or an event that RabbitMQ refuses, so that the relay waits. */
export interface RelayRefusal {
  /** Null if the queue is unknown, or if RabbitMQ itself refuses the event. */
  readonly queue: string | null;
  /** The event over which RabbitMQ closes the channel. */
  readonly event?: LogEntry;
  readonly reason: string;
  readonly since: string;
}

/** Describes a refusal in a sentence, with the fix if there is only one. */
export function refusalText({ queue, event, reason }: RelayRefusal): string {
  if (event) {
    const about = `${event.id} (${event.type}, ${Buffer.byteLength(event.body)} bytes)`;
    return `RabbitMQ closes the channel because of the event ${about}, and all later events wait: ${reason}. Raise max_message_size in rabbitmq.conf above its size.`;
  }
  const who = queue === null ? "An unknown queue" : `"${queue}"`;
  return `${who} refuses events, and the events of all queues wait for it: ${reason}.`;
}

export interface RefusedEventsOptions {
  /** Resolves with the known queues that get events of this type. */
  readonly queuesOf: (eventType: string) => Promise<readonly string[]>;
  /** Resolves with why a queue may refuse events. Undefined if its setup does not say so. */
  readonly limitOf: (queue: string) => Promise<string | undefined>;
  /** Called when a queue starts to refuse events, and with null when no queue does any longer. */
  readonly onChange: (refusal: RelayRefusal | null) => void;
  readonly logger: Log;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Each attempt to reach an unknown queue sends the other queues a duplicate. */
const longestPauseForUnknownMs = 60_000;
/** Each attempt with an event over which RabbitMQ closes the channel costs a channel and a line in its log. */
const longestPauseForClosedMs = 60_000;

const noLimitKnown = "it is full, or refuses for another reason that AMQP does not show, such as a policy";

/**
 * Delivers events that RabbitMQ refused. If one queue is full, RabbitMQ refuses the event as a whole, after the other queues have accepted
 * it. So each queue gets the event once more, directly. Only the queues that refuse it get it repeatedly.
 */
export class RefusedEvents {
  #refusal: RelayRefusal | null = null;
  readonly #culprit = new Culprit();
  /** Number of times RabbitMQ has closed the channel over the event of `#refusal`. */
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
   * Looks for the event that made RabbitMQ close the channel. Returns how long to wait before sending again, in milliseconds. Such an event
   * is never skipped, however often the channel closes.
   *
   * @param inFlight events that were in flight when the channel closed.
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
   * Delivers an event to every queue. Resolves with true when all have it, or with false if `pause` does.
   *
   * @param pause waits; resolves with false if nothing more is to be sent.
   * @throws {Unroutable} if no queue accepts the event any longer.
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
      // If the channel has closed, every publish fails, but no queue has refused anything.
      if (!(await pause(pauseMs))) return false;
      await this.#tell(first, message);
      waiting = refusing;
    }
    if (this.#refusal?.queue) return true;
    // No known queue refuses it now. Either one of them has room again, or another program has bound the queue that refuses.
    for (const queue of known) if ((await limitOf(queue)) !== undefined) return true;
    for (let pauseMs = firstPauseMs; await pause(pauseMs); pauseMs = Math.min(longestPauseForUnknownMs, pauseMs * 2)) {
      if (pauseMs > firstPauseMs) await this.#tell(null, message);
      if (await this.#takes(publisher, message)) return true;
    }
    return false;
  }

  /**
   * Records that events are accepted again.
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

  /** Resolves with whether the queue accepts the message. Without a queue, sends it to all that are bound. */
  async #takes(publisher: Publisher, message: OutgoingMessage, queue?: string): Promise<boolean> {
    try {
      await publisher.publish(queue === undefined ? message : { ...message, exchange: "", routingKey: queue });
      return true;
    } catch (error) {
      if (!(error instanceof Unroutable)) return false;
      // A deleted queue misses nothing.
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
