import { noTracing, type Tracing } from "../observe/tracing";
import { tombstone } from "../schema/erasure";
import type { LogEntry, LogReader } from "../store/log";
import { now } from "../timing/clock";
import { type Confirm, ConfirmWindow, mostUnconfirmed } from "./confirm-window";
import { type OutgoingMessage, routedMessage } from "./message";
import { type Publisher, Unroutable } from "./publisher";
import type { RefusedEvents } from "./refused-events";
import type { RelayState } from "./relay-state";

export interface LogSenderOptions {
  readonly log: LogReader;
  /** Returns the exchange for an event type. */
  readonly exchangeOf: (eventType: string) => string;
  /** Handles events that a queue refuses. */
  readonly refused: RefusedEvents;
  readonly tracing?: Pick<Tracing, "send">;
}

/** A failure to send, with the event if it concerns one. */
export type SendFailure = { readonly error: unknown; readonly entry?: LogEntry };

/** An event that the broker refused, and a function that notes its confirm. */
interface Refused {
  readonly entry: LogEntry;
  readonly message: OutgoingMessage;
  readonly confirm: Confirm;
}

/** Number of events read at once, and sent at once while the log does not grow. Larger batches cost the broker less work. */
const batch = 256;
/** Number of events sent at once while the log grows. More would delay requests noticeably. */
const sentBetweenChanges = 64;

/** Sends the event log on one channel, in order, until something fails or `until` aborts. */
export class LogSender {
  readonly #window: ConfirmWindow;
  /** Position of the last event that was sent. */
  #sentTo: number;
  /** Events read but not sent yet. Read in whole batches: reading only as many as fit was measured to slow down the relay. */
  #unsent: LogEntry[] = [];
  readonly #refused: Refused[] = [];
  #failure: SendFailure | undefined;
  /** True if a message was confirmed on this channel. */
  #isProven = false;
  /** True if a queue takes nothing more on this channel. */
  #isStuck = false;

  constructor(
    readonly publisher: Publisher,
    readonly until: AbortSignal,
    readonly state: RelayState,
    readonly options: LogSenderOptions,
  ) {
    this.#window = new ConfirmWindow(publisher, options.tracing ?? noTracing, state.wake);
    this.#sentTo = state.position;
  }

  /**
   * Sends until something fails. Resolves with the failure once nothing is in flight; with undefined if the relay has ended, or needs a new
   * channel.
   */
  async run(): Promise<SendFailure | undefined> {
    const { state, options } = this;
    while (!state.hasEnded && this.#failure === undefined && !this.#isStuck) {
      if (this.#refused.length > 0 && this.#window.isEmpty) {
        await this.#insist();
        continue;
      }
      options.refused.end(state.position, false);
      if (state.pauses.length > 0 && this.#window.isEmpty) await state.pauses.shift()?.(this.#sentTo);
      else await this.#continue();
    }
    while (!this.#window.isEmpty && !state.hasEnded) await state.wake.wait();
    await state.rest(options.refused.pauseAfterClose(this.#refused, this.until));
    return this.#failure;
  }

  /** Sends a batch if that is possible now. Otherwise waits until something changes. */
  async #continue(): Promise<void> {
    const { state, options } = this;
    const { drained } = this.publisher;
    drained?.then(() => state.wake.raise());
    const maySend = !drained && state.pauses.length === 0 && this.#refused.length === 0 && this.#hasRoom();
    if (maySend && this.#unsent.length === 0) {
      const fresh = state.fresh.take(this.#sentTo, batch);
      if (fresh) this.#unsent = fresh;
      else if (!(await this.#read())) return;
    }
    // Let requests and confirms run in between.
    if (maySend && this.#sendBatch() > 0) return await new Promise(setImmediate);
    if (maySend && this.#window.isEmpty) options.refused.end(state.position, true);
    await state.wake.wait();
  }

  #hasRoom(): boolean {
    const isAlone = this.options.refused.mustBeAlone(this.#sentTo, this.#isProven);
    // How fast one event follows another says nothing about what RabbitMQ could take.
    if (isAlone) this.state.options.pace.open();
    return this.#window.hasRoom(isAlone ? 1 : mostUnconfirmed);
  }

  /** Resolves with false if the log cannot be read. */
  async #read(): Promise<boolean> {
    try {
      this.#unsent = await this.options.log.read(this.#sentTo, batch);
      return true;
    } catch (error) {
      this.#failure = { error };
      return false;
    }
  }

  /** Returns the number of events sent. */
  #sendBatch(): number {
    const most = Math.min(this.#unsent.length, this.state.logHasGrown ? sentBetweenChanges : batch);
    let sent = 0;
    for (; sent < most && this.#hasRoom() && !this.state.hasEnded; sent += 1) this.#send(this.#unsent[sent] as LogEntry);
    if (sent > 0) this.state.logHasGrown = false;
    this.#unsent = this.#unsent.slice(sent);
    return sent;
  }

  #send(entry: LogEntry): void {
    const confirm = this.#window.expect(entry.position);
    this.#sentTo = entry.position;
    if (entry.type === tombstone) {
      this.state.advance(confirm());
      return;
    }
    const message = routedMessage(entry, this.options.exchangeOf);
    this.#window.send(message, (error) => {
      const { tally } = this.state;
      if (error instanceof Unroutable) {
        tally.returns += 1;
        this.#failure ??= { error, entry };
      } else if (error) {
        tally.failures += 1;
        this.#refused.push({ entry, message, confirm });
      } else {
        tally.confirms += 1;
        tally.seconds.record(Math.max(0, now() - Date.parse(entry.timestamp)) / 1000);
        this.#isProven = true;
        this.state.advance(confirm());
      }
    });
  }

  /** Delivers events that were refused, one after another in their order. */
  async #insist(): Promise<void> {
    // It may take long, and is not a matter of how fast RabbitMQ is.
    this.state.options.pace.open();
    const refused = this.#refused.splice(0).sort((a, b) => a.entry.position - b.entry.position);
    for (const { entry, message, confirm } of refused) {
      try {
        const pause = (ms: number) => this.state.pause(ms);
        const delivered = await this.options.refused.deliver(this.publisher, entry.position, message, pause);
        if (delivered === "ended") return;
        this.#isStuck = delivered === "stuck";
      } catch (error) {
        this.#failure = { error, entry };
        return;
      }
      this.state.advance(confirm());
      if (this.#isStuck) return;
    }
  }
}
