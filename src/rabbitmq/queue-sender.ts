import type { ReplaySelection } from "../delivery/replay-selection";
import type { Tracing } from "../observe/tracing";
import type { LogReader } from "../store/log";
import type { ConfirmChannel } from "./connection";
import { Culprit } from "./culprit";
import type { OutgoingMessage } from "./message";
import { quarantine } from "./quarantine";
import { type PastOptions, QueueRefuses, sendPast } from "./send-past";

/** Progress of sending past events to a queue. */
export interface SentSoFar {
  /** Position up to which every event is confirmed, or kept in a file. */
  readonly position: number;
  readonly sent: number;
  /** Number of events that RabbitMQ refused. */
  readonly refused: number;
}

/** An event that RabbitMQ refused, and that is kept in a file. */
export interface RefusedEvent {
  readonly id: string;
  readonly bytes: number;
  readonly file: string;
  readonly why: string;
}

export interface QueueSenderOptions {
  readonly log: LogReader;
  readonly queue: string;
  readonly selection: ReplaySelection;
  /** Resolves with whether the setup of a queue says that it may refuse events. */
  readonly hasLimit: (queue: string) => Promise<boolean>;
  /** True to mark the messages as a replay. */
  readonly marked: boolean;
  /** Folder for events that RabbitMQ accepts in no queue. */
  readonly quarantine: string;
  /** See {@link PastOptions.holds}. */
  readonly holds?: () => boolean;
  readonly tracing?: Pick<Tracing, "send">;
  readonly onProgress: (soFar: SentSoFar) => void;
  readonly onRefused: (event: RefusedEvent) => void;
}

/** Sends past events to one queue, on as many channels as it takes. */
export class QueueSender {
  #culprit = new Culprit();
  /** True if the queue may refuse events, or has. Undefined if that is not known yet. */
  #refuses: boolean | undefined;

  constructor(
    readonly options: QueueSenderOptions,
    public soFar: SentSoFar,
  ) {}

  /**
   * Sends the remaining events up to a position. Resolves early if `closed` or `stop` aborts.
   *
   * @throws {Unroutable} if the queue does not exist.
   * @throws {QueueRefuses} if the queue refuses an event. The next call sends one event at a time.
   */
  async sendUpTo(last: number, channel: ConfirmChannel, closed: AbortSignal, stop?: AbortSignal): Promise<void> {
    const { queue, hasLimit } = this.options;
    this.#refuses ??= await hasLimit(queue);
    try {
      await this.#send(last, channel, closed, this.#refuses, stop);
    } catch (error) {
      if (error instanceof QueueRefuses) this.#refuses = true;
      throw error;
    }
  }

  async #send(last: number, channel: ConfirmChannel, closed: AbortSignal, oneByOne: boolean, stop?: AbortSignal): Promise<void> {
    const before = this.soFar.sent;
    const position = await sendPast({
      ...this.options,
      ...{ channel, closed, last, after: this.soFar.position, oneByOne, culprit: this.#culprit },
      ...(stop && { stop }),
      putAway: (message, why) => this.#putAway(message, why),
      onProgress: (reached, confirmed) => {
        this.soFar = { ...this.soFar, position: reached, sent: before + confirmed };
        this.options.onProgress(this.soFar);
      },
    });
    this.soFar = { ...this.soFar, position };
  }

  /** Sends everything after a position again, since what was sent is gone. */
  restart(position: number): void {
    this.soFar = { position, sent: 0, refused: 0 };
    this.#culprit = new Culprit();
  }

  /** Keeps an event that RabbitMQ refuses in a file, so that it does not block the events after it. */
  #putAway({ content, exchange, routingKey, options }: OutgoingMessage, why: string): void {
    const unwanted = { content, fields: { exchange, routingKey }, properties: options };
    const file = quarantine(this.options.quarantine, this.options.queue, unwanted, null, why);
    this.soFar = { ...this.soFar, refused: this.soFar.refused + 1 };
    this.options.onRefused({ id: options.messageId, bytes: content.length, file, why });
  }
}
