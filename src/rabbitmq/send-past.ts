import { matchesSelection, type ReplaySelection } from "../delivery/replay-selection";
import { noTracing, type Tracing } from "../observe/tracing";
import { isForQueue } from "../schema/tick";
import type { LogEntry, LogReader } from "../store/log";
import { Signal } from "../timing/signal";
import { TokenBucket } from "../timing/token-bucket";
import { type Confirm, ConfirmWindow } from "./confirm-window";
import type { Culprit } from "./culprit";
import { type OutgoingMessage, toMessage } from "./message";
import { type PublishChannel, Publisher, Unroutable, Unsendable } from "./publisher";
import { contentRefusal } from "./reply-code";

const batch = 256;

export interface PastOptions {
  readonly log: LogReader;
  readonly channel: PublishChannel;
  readonly queue: string;
  readonly selection: ReplaySelection;
  /** Sends events after this position. */
  readonly after: number;
  /** Sends events up to and including this position. */
  readonly last: number;
  /** True to mark the messages as a replay. */
  readonly marked: boolean;
  /** Called with the confirmed position and the number of events sent and confirmed so far. */
  readonly onProgress: (position: number, sent: number) => void;
  /** True to wait for the confirm of each event before sending the next, since the queue may refuse one and accept a later one. */
  readonly oneByOne: boolean;
  /** Finds the event over which RabbitMQ closes the channel. Shared by the channels of one run. */
  readonly culprit: Culprit;
  /** Puts away an event that the queue cannot accept. The events after it are still sent. */
  readonly putAway: (message: OutgoingMessage, why: string) => void;
  /** Aborts when the channel closes, with the error that closed it as the reason. */
  readonly closed: AbortSignal;
  /** Asked before each event; nothing more is sent once it returns false. Default: true. */
  readonly holds?: () => boolean;
  readonly tracing?: Pick<Tracing, "send">;
  /** Ends the run early: nothing more is sent, and sent events are confirmed first. */
  readonly stop?: AbortSignal;
}

/** Thrown when the queue refuses an event. Events after it may have arrived. */
export class QueueRefuses extends Error {
  override readonly name = "QueueRefuses";
}

/** An event that the broker has not confirmed. */
interface Unconfirmed {
  readonly position: number;
  readonly message: OutgoingMessage;
  readonly confirm: Confirm;
}

/**
 * Sends past events from the log to one queue, in order and in bounded memory. Resolves with the position up to which everything is
 * confirmed or put away.
 *
 * @throws {Unroutable} if the queue does not exist.
 * @throws {QueueRefuses} if the queue refuses an event, such as when it is full.
 */
export function sendPast(options: PastOptions): Promise<number> {
  return new PastSender(options).run();
}

class PastSender {
  readonly #publisher: Publisher;
  readonly #window: ConfirmWindow;
  readonly #bucket: TokenBucket | undefined;
  readonly #wake = new Signal();
  readonly #unconfirmed = new Map<number, Unconfirmed>();
  #position: number;
  #confirmed = 0;
  #failure: unknown;
  /** Error of an event that the broker did not accept: the queue refuses it, or the channel has closed. */
  #nack: Error | undefined;

  constructor(readonly options: PastOptions) {
    const { channel, selection, after, closed, stop, tracing = noTracing } = options;
    this.#publisher = new Publisher(channel);
    this.#window = new ConfirmWindow(this.#publisher, tracing, this.#wake);
    if (selection.rate !== null) this.#bucket = new TokenBucket(selection.rate, performance.now());
    for (const signal of [closed, stop]) signal?.addEventListener("abort", () => this.#wake.raise(), { once: true });
    this.#position = after;
  }

  async run(): Promise<number> {
    const { log, queue, selection, after, last, closed, stop } = this.options;
    for (let taken = after; !this.#isEnded && taken < last; ) {
      const entries = (await log.read(taken, batch)).filter((entry) => entry.position <= last);
      if (entries.length === 0) break;
      for (const entry of entries) {
        if (this.#isEnded) break;
        taken = entry.position;
        if (!matchesSelection(selection, entry) || !isForQueue(queue, entry)) this.#advance(this.#window.expect(entry.position)());
        else if (await this.#maySend(entry)) this.#send(entry);
      }
      await new Promise(setImmediate);
    }
    while (!this.#window.isEmpty && !closed.aborted) await this.#wake.wait();
    this.#findCulprit();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#nack && closed.aborted) throw this.#nack;
    if (this.#nack) throw new QueueRefuses(`The queue "${queue}" refuses events, such as when it is full`, { cause: this.#nack });
    return closed.aborted || stop?.aborted ? this.#position : Math.max(this.#position, last);
  }

  get #isEnded(): boolean {
    const { closed, stop, holds } = this.options;
    return closed.aborted || stop?.aborted || this.#failure !== undefined || this.#nack !== undefined || holds?.() === false;
  }

  /** Waits until the rate, the window and the socket have room for an event. Resolves with false if the run ends first. */
  async #maySend({ position }: LogEntry): Promise<boolean> {
    const waitMs = () => this.#bucket?.take(performance.now()) ?? 0;
    for (let ms = waitMs(); ms > 0 && !this.#isEnded; ms = waitMs()) await this.#wake.wait(ms);
    const { oneByOne, culprit } = this.options;
    const most = oneByOne || culprit.isSuspect(position) ? 1 : undefined;
    while (!this.#window.hasRoom(most) && !this.#isEnded) await this.#wake.wait();
    if (this.#publisher.drained) await this.#publisher.drained;
    return !this.#isEnded;
  }

  #send(entry: LogEntry): void {
    const { position } = entry;
    const message = pastMessage(entry, this.options);
    const sent = { position, message, confirm: this.#window.expect(position) };
    const problem = this.#publisher.frameProblem(message);
    if (problem !== undefined) {
      this.#putAway(sent, problem);
      return;
    }
    this.#unconfirmed.set(position, sent);
    this.#window.send(message, (error) => {
      if (!error) {
        this.#unconfirmed.delete(position);
        this.#confirmed += 1;
        this.#advance(sent.confirm());
      } else if (error instanceof Unsendable) this.#putAway(sent, error.message);
      else if (error instanceof Unroutable) this.#failure ??= error;
      else this.#nack ??= error;
    });
  }

  #advance(to: number | undefined): void {
    this.#position = to ?? this.#position;
    this.options.onProgress(this.#position, this.#confirmed);
  }

  #putAway({ position, message, confirm }: Unconfirmed, why: string): void {
    try {
      this.options.putAway(message, why);
      this.#unconfirmed.delete(position);
      this.#advance(confirm());
    } catch (error) {
      // This error says more than that the channel was closed.
      this.#failure = error;
    }
  }

  /** Puts away the event over which RabbitMQ closed the channel, once that is certain. */
  #findCulprit(): void {
    const { closed, culprit } = this.options;
    const why = contentRefusal(closed);
    const guilty = why === undefined ? undefined : culprit.blame([...this.#unconfirmed.values()]);
    if (guilty) this.#putAway(guilty, `RabbitMQ closed the channel twice because of this event: ${why}`);
  }
}

function pastMessage(entry: LogEntry, { queue, marked, selection }: Pick<PastOptions, "queue" | "marked" | "selection">): OutgoingMessage {
  const message = toMessage(entry, "");
  const marks = marked && { "x-replay": true, ...(selection.force && { "x-replay-forced": true }) };
  return { ...message, routingKey: queue, options: { ...message.options, headers: { ...message.options.headers, ...marks } } };
}
