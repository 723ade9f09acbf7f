import { type Log, messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { noTracing, type Tracing } from "../observe/tracing";
import type { LogEntry, LogReader } from "../store/log";
import type { Store } from "../store/store";
import { Signal } from "../timing/signal";
import { type Confirm, ConfirmWindow, mostUnconfirmed } from "./confirm-window";
import { type OutgoingMessage, toMessage } from "./message";
import { type PublishChannel, Publisher, Unroutable } from "./publisher";
import type { RefusedEvents } from "./refused-events";
import { StoredPosition } from "./stored-position";

export interface RelayOptions {
  readonly log: LogReader;
  readonly relayed: Store["relayed"];
  /** Returns the exchange for an event type. */
  readonly exchangeOf: (eventType: string) => string;
  /** Declares a queue for an event that no queue accepted. */
  readonly makeRoute: (eventType: string, exchange: string) => Promise<void>;
  /** Sees to events that a queue refuses. */
  readonly refused: RefusedEvents;
  readonly logger: Log;
  readonly tracing?: Pick<Tracing, "send">;
}

/** A failure to send, with the event if it concerns one. */
type Failed = { readonly error: unknown; readonly entry?: LogEntry };

/** An event that the broker refused, and a function that notes its confirm. */
interface Refused {
  readonly entry: LogEntry;
  readonly message: OutgoingMessage;
  readonly confirm: Confirm;
}

/** Number of events read at once, and sent at once while the log does not grow. Larger pieces cost the broker less work. */
const batch = 256;
/** Number of events sent at once while the log grows. More would delay requests noticeably. */
const sentBetweenChanges = 64;
const longestPauseMs = 5_000;

/**
 * Sends the event log to the broker, in order, and stores the position up to which everything is confirmed. After a crash, it can send
 * events again but never skips one.
 */
export class Relay {
  /** Responses of the broker since the start. */
  readonly tally = { confirms: 0, returns: 0, failures: 0 };
  readonly #wake = new Signal();
  #position = 0;
  readonly #stored: StoredPosition;
  #loaded = false;
  /** True if the log has grown since events were last sent. */
  #logHasGrown = false;
  #stopping = false;
  readonly #pauses: ((position: number) => Promise<void>)[] = [];
  /** Raised whenever the position moves. `stop` waits for it. */
  readonly #progress = new Signal();

  constructor(readonly options: RelayOptions) {
    this.#stored = new StoredPosition(options.relayed, options.logger);
  }

  /** Position up to which every event is confirmed. */
  get position(): number {
    return this.#position;
  }

  /** Loads the stored position, so that `position` is correct before the broker is connected. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    this.#position = await this.#stored.load();
    this.#loaded = true;
  }

  /** Notifies the relay that the log has grown. */
  wake(): void {
    this.#logHasGrown = true;
    this.#wake.raise();
  }

  /**
   * Runs `work` when everything up to a position is confirmed and nothing after it was sent. If the relay is not running, waits until it
   * does.
   */
  whilePaused<T>(work: (position: number) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pauses.push((position) => work(position).then(resolve, reject));
      this.#wake.raise();
    });
  }

  /** Sends events on this channel until it closes or the relay stops. */
  async run(channel: PublishChannel, closed: AbortSignal): Promise<void> {
    await this.load();
    const publisher = new Publisher(channel);
    closed.addEventListener("abort", () => this.#wake.raise(), { once: true });
    let failures = 0;
    while (!closed.aborted && !this.#stopping) {
      const startedAt = this.#position;
      const failure = await this.#send(publisher, closed);
      if (failure === undefined || closed.aborted) break;
      failures = this.#position > startedAt ? 1 : failures + 1;
      await this.#recover(failure, failures, closed);
    }
  }

  /** Waits up to `timeoutMs` for the broker to confirm the current log, stops the relay, and stores the position. */
  async stop(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const end = await this.options.log.end();
    while (this.#position < end && performance.now() < deadline) {
      await this.#progress.wait(deadline - performance.now());
    }
    this.#stopping = true;
    this.#wake.raise();
    await this.#stored.stop();
  }

  /** Sends events until something fails. Resolves with the failure once nothing is in flight; with undefined if closed or stopped. */
  async #send(publisher: Publisher, closed: AbortSignal): Promise<Failed | undefined> {
    const { exchangeOf, tracing = noTracing } = this.options;
    const window = new ConfirmWindow(publisher, tracing, this.#wake);
    let next = this.#position;
    /** Events read but not sent yet. Read in whole batches: reading only as many as fit was measured to slow down the relay. */
    let unsent: LogEntry[] = [];
    let failure: Failed | undefined;
    /** How many may be in flight: few after a refusal, since the others get each that is refused twice. */
    let allowed = mostUnconfirmed;
    const refused: Refused[] = [];
    const ended = () => closed.aborted || this.#stopping;

    const send = (entry: LogEntry) => {
      const message = toMessage(entry, exchangeOf(entry.type));
      const confirm = window.expect(entry.position);
      next = entry.position;
      window.send(message, (error) => {
        if (error) {
          this.tally[error instanceof Unroutable ? "returns" : "failures"] += 1;
          if (error instanceof Unroutable) failure ??= { error, entry };
          else refused.push({ entry, message, confirm });
        } else {
          this.tally.confirms += 1;
          allowed = Math.min(mostUnconfirmed, allowed + 1);
          this.#advance(confirm());
        }
      });
    };

    while (!ended() && failure === undefined) {
      const { drained } = publisher;
      drained?.then(() => this.#wake.raise());
      if (refused.length > 0 && window.isEmpty) {
        failure = await this.#insist(publisher, refused.splice(0), closed);
        allowed = 1;
        continue;
      }
      if (allowed === mostUnconfirmed && refused.length === 0) this.options.refused.end(this.#position);
      const pause = this.#pauses[0];
      if (pause && window.isEmpty) {
        this.#pauses.shift();
        await pause(next);
        continue;
      }
      const hasRoom = () => window.hasRoom(this.options.refused.isSuspect(next) ? 1 : allowed);
      const maySend = !drained && !pause && refused.length === 0 && hasRoom();
      try {
        if (maySend && unsent.length === 0) unsent = await this.options.log.read(next, batch);
      } catch (error) {
        failure = { error };
        break;
      }
      const atOnce = Math.min(unsent.length, this.#logHasGrown ? sentBetweenChanges : batch);
      let sent = 0;
      for (; maySend && sent < atOnce && hasRoom(); sent += 1) send(unsent[sent] as LogEntry);
      if (sent > 0) this.#logHasGrown = false;
      unsent = unsent.slice(sent);
      // Let requests and confirms run in between.
      if (sent > 0) await new Promise(setImmediate);
      else {
        if (maySend && window.isEmpty) this.options.refused.end(this.#position);
        await this.#wake.wait();
      }
    }
    while (!window.isEmpty && !ended()) await this.#wake.wait();
    await this.#pause(this.options.refused.pauseAfterClose(refused, closed));
    return failure;
  }

  #advance(confirmedTo: number | undefined): void {
    if (confirmedTo === undefined || confirmedTo <= this.#position) return;
    this.#position = confirmedTo;
    this.#progress.raise();
    this.#stored.moveTo(confirmedTo);
  }

  async #recover({ error: failure, entry }: Failed, failures: number, closed: AbortSignal): Promise<void> {
    const { logger, makeRoute } = this.options;
    const about = { error: messageOf(failure), ...(entry && { event: entry.id, ...traceField(entry.traceparent) }) };
    const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures);
    // Warn once per series of failures, not once per event.
    const level = failures === 1 ? "warn" : "debug";
    logger[level]({ ...about, position: this.#position, pauseMs }, "An event did not reach its queue; sending it again");
    if (failure instanceof Unroutable) {
      const { routingKey, exchange } = failure.routedTo;
      await makeRoute(routingKey, exchange).catch((error: unknown) =>
        logger[level]({ error: messageOf(error) }, "Cannot create a queue for an event"),
      );
    }
    await this.#pause(pauseMs, closed);
  }

  /** Delivers events that were refused, one after another in their order. */
  async #insist(publisher: Publisher, refused: Refused[], closed: AbortSignal): Promise<Failed | undefined> {
    refused.sort((a, b) => a.entry.position - b.entry.position);
    for (const { entry, message, confirm } of refused) {
      try {
        if (!(await this.options.refused.deliver(publisher, message, (ms) => this.#pause(ms, closed)))) return undefined;
      } catch (error) {
        return { error, entry };
      }
      this.#advance(confirm());
    }
    return undefined;
  }

  /** Waits; resolves with false when nothing more is to be sent. */
  async #pause(ms: number, closed?: AbortSignal): Promise<boolean> {
    const until = performance.now() + ms;
    const ended = () => closed?.aborted || this.#stopping;
    while (performance.now() < until && !ended()) await this.#wake.wait(until - performance.now());
    return !ended();
  }
}
