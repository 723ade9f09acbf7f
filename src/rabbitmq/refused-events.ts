import { type Log, messageOf } from "../observe/logging";
import type { LogEntry } from "../store/log";
import { timestamp } from "../timing/clock";
import { Culprit } from "./culprit";
import type { OutgoingMessage } from "./message";
import { type PublishChannel, Publisher, Unroutable } from "./publisher";
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
  /** Returns whether the setup of a known queue says that it may refuse events. */
  readonly hasLimit: () => boolean;
  /** Resolves with whether a queue is a quorum queue without a limit, which refuses events only while it has no leader. */
  readonly isUnlimited: (queue: string) => Promise<boolean>;
  /** Runs `use` on a confirm channel of its own. */
  readonly onNewChannel: <T>(use: (channel: PublishChannel) => Promise<T>) => Promise<T>;
  /** Returns whether one of the known queues is a quorum queue. */
  readonly hasQuorum: () => boolean;
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

/** Time after a refusal in which the next is expected, in milliseconds. Also limits how long a refusal is named after its event was accepted. */
export const waryMs = 600_000;

/** `ended`: nothing more is to be sent. `stuck`: all queues have the event, but one of them may take nothing more on this channel. */
export type Delivered = "delivered" | "ended" | "stuck";

/** `wait` pauses for a queue that may be full, `pause` for one that has no leader. They resolve with false if nothing more is to be sent. */
type Pauses = Readonly<Record<"wait" | "pause", (ms: number) => Promise<boolean>>>;

const noLeader = "too few of its nodes run, so it has no leader";
const noLimitKnown = "it is full, or refuses for another reason that AMQP does not show, such as a policy";

/**
 * Delivers events that RabbitMQ refused. If one queue is full, RabbitMQ refuses the event as a whole, after the other queues have accepted
 * it. So each queue gets the event once more, directly. Only the queues that refuse it get it repeatedly.
 *
 * This state outlives a channel: a new one does not mean that a queue has room.
 */
export class RefusedEvents {
  #refusal: RelayRefusal | null = null;
  /** The last event that a queue refused, and the time of it, by `performance.now()`. */
  #last = { position: 0, at: Number.NEGATIVE_INFINITY };
  readonly #culprit = new Culprit();
  /** Number of times RabbitMQ has closed the channel over the event of `#refusal`. */
  #closed = 0;

  constructor(readonly options: RefusedEventsOptions) {}

  get refusal(): RelayRefusal | null {
    return this.#refusal;
  }

  /**
   * Returns whether the event at this position must be the only one in flight: because a queue may refuse it, and would get a later event
   * first if it has room again or a leader by then, or because RabbitMQ may close the channel over it.
   *
   * @param isProven whether an event was confirmed on this channel. A quorum queue without a leader refuses only the first ones.
   */
  mustBeAlone(position: number, isProven: boolean): boolean {
    return this.options.hasLimit() || (!isProven && this.options.hasQuorum()) || this.#isWary || this.#culprit.isSuspect(position);
  }

  get #isWary(): boolean {
    return performance.now() - this.#last.at < waryMs;
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
      this.#change({ queue: null, event, reason, since: timestamp() });
    }
    return Math.min(longestPauseForClosedMs, firstPauseMs * 2 ** this.#closed);
  }

  /**
   * Delivers an event that was refused to every queue. Resolves when all have it, or when `pause` resolves with false.
   *
   * @param position position of the event.
   * @param pause waits; resolves with false if nothing more is to be sent.
   * @throws {Unroutable} if no queue accepts the event any longer.
   */
  async deliver(
    publisher: Publisher,
    position: number,
    message: OutgoingMessage,
    pause: (ms: number) => Promise<boolean>,
  ): Promise<Delivered> {
    const known = await this.options.queuesOf(message.routingKey);
    const note = () => {
      this.#last = { position, at: performance.now() };
    };
    // If the channel has closed, every publish fails, but no queue has refused anything.
    const wait = async (ms: number) => {
      const goesOn = await pause(ms);
      if (goesOn) note();
      return goesOn;
    };
    const delivered = await this.#insist(publisher, message, known, { wait, pause });
    if (delivered !== "delivered") return delivered;
    if (!(await this.#isByKnown(known))) return this.#insistOnUnknown(publisher, message, { wait, pause });
    note();
    return "delivered";
  }

  /** Sends an event to these queues until all have it. */
  async #insist(publisher: Publisher, message: OutgoingMessage, queues: readonly string[], { wait, pause }: Pauses): Promise<Delivered> {
    let waiting = queues;
    let isStuck = false;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const refusing: string[] = [];
      let mayBeFull = false;
      for (const queue of waiting) {
        if (await this.#takes(publisher, message, queue)) continue;
        const isUnlimited = await this.options.isUnlimited(queue);
        if (isUnlimited) isStuck = true;
        else mayBeFull = true;
        if (!isUnlimited || !(await this.#takesAnew(publisher, message, queue))) refusing.push(queue);
      }
      const [first] = refusing;
      if (first === undefined) return isStuck ? "stuck" : "delivered";
      if (!(await (mayBeFull ? wait : pause)(pauseMs))) return "ended";
      await this.#tell(first, message);
      waiting = refusing;
    }
  }

  /**
   * Resolves with whether the queue accepts the message on a new channel. RabbitMQ 3 refuses each message of a channel whose first one came
   * while the queue had no leader, until the former leader is back. Without a queue, sends it to all that are bound.
   */
  async #takesAnew({ mayPublish }: Publisher, message: OutgoingMessage, queue?: string): Promise<boolean> {
    try {
      return await this.options.onNewChannel((channel) => this.#takes(new Publisher(channel, mayPublish), message, queue));
    } catch (error) {
      if (error instanceof Unroutable) throw error;
      // The connection was lost.
      return false;
    }
  }

  /** Resolves with whether one of these queues is likely to have refused the event, although it has room again. */
  async #isByKnown(known: readonly string[]): Promise<boolean> {
    if (this.#refusal?.queue) return true;
    for (const queue of known) if ((await this.options.limitOf(queue)) !== undefined) return true;
    return false;
  }

  /** Sends an event to all queues until the one of another program that refuses it has it. */
  async #insistOnUnknown(publisher: Publisher, message: OutgoingMessage, { wait, pause }: Pauses): Promise<Delivered> {
    // A quorum queue that has a leader by now may have refused it.
    if (!(await (this.options.hasQuorum() ? pause : wait)(firstPauseMs))) return "ended";
    if (await this.#takes(publisher, message)) return "delivered";
    for (let pauseMs = firstPauseMs * 2; await wait(pauseMs); pauseMs = Math.min(longestPauseForUnknownMs, pauseMs * 2)) {
      await this.#tell(null, message);
      if (await this.#takesAnew(publisher, message)) return "stuck";
    }
    return "ended";
  }

  /**
   * Ends the refusal if its event is confirmed. That of a queue lasts until everything is, since a queue that is nearly full refuses one
   * event after another.
   *
   * @param position position up to which everything is confirmed.
   * @param isAll true if that is the end of the log.
   */
  end(position: number, isAll: boolean): void {
    if (!this.#refusal) return;
    const { queue, event, since } = this.#refusal;
    if (position < (event ?? this.#last).position) return;
    if (!event && !isAll && this.#isWary) return;
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
    const isUnlimited = queue !== null && limit === undefined && (await this.options.isUnlimited(queue));
    const reason = isUnlimited ? noLeader : limit === undefined ? noLimitKnown : `it is full (${limit})`;
    this.options.logger.warn({ queue, reason, event: messageId }, "A queue refuses events; waiting until it accepts them");
    this.#change({ queue, reason, since: timestamp() });
  }

  #change(refusal: RelayRefusal | null): void {
    this.#refusal = refusal;
    this.options.onChange(refusal);
  }
}
