import { ConfirmedPrefix } from "../delivery/confirmed-prefix";
import { troubleOf } from "../delivery/outcome";
import { type Log, messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { noTracing, type Tracing } from "../observe/tracing";
import type { LogEntry, LogReader } from "../store/log";
import type { Store } from "../store/store";
import { Signal } from "../timing/signal";
import { type OutgoingMessage, toMessage } from "./message";
import { type PublishChannel, Publisher, Unroutable } from "./publisher";
import type { RefusedEvents } from "./refused-events";
import { StoredPosition } from "./stored-position";

export interface RelayOptions {
  readonly log: LogReader;
  readonly relayed: Store["relayed"];
  /** The exchange that an event type goes to. */
  readonly exchangeOf: (eventType: string) => string;
  /** Gives an event that no queue took a queue to go to. */
  readonly makeRoute: (eventType: string, exchange: string) => Promise<void>;
  /** Sees to events that a queue refuses. */
  readonly refused: RefusedEvents;
  readonly logger: Log;
  readonly tracing?: Pick<Tracing, "send">;
}

/** What went wrong, and with which event if with one. */
interface Failed {
  readonly error: unknown;
  readonly entry?: LogEntry;
}

/** An event that the broker refused, and how to tell that it has it after all. */
interface Refused {
  readonly entry: LogEntry;
  readonly message: OutgoingMessage;
  readonly confirm: () => number | undefined;
}

/** Keeps the broker's pipe full, and bounds what one that blocks can hold in memory. */
const window = 1024;
const windowBytes = 16 * 1024 * 1024;
/** Read at once, and sent at once from a log that does not grow: the fewer pieces, the less work for the broker. */
const batch = 256;
/** While changes come, more would hold their requests up for longer than some milliseconds. */
const sentBetweenChanges = 64;
const longestPauseMs = 5_000;

/**
 * Sends the event log to the broker, in order, and keeps the position up to which everything is confirmed.
 * A crash can make it send events again, never leave one out.
 */
export class Relay {
  /** What the broker has said since the start. */
  readonly tally = { confirms: 0, returns: 0, failures: 0 };
  readonly #wake = new Signal();
  #position = 0;
  readonly #stored: StoredPosition;
  #loaded = false;
  /** Since events were sent last. */
  #logHasGrown = false;
  #stopping = false;
  readonly #pauses: ((position: number) => Promise<void>)[] = [];
  /** Raised whenever the position moves, for `stop`. */
  readonly #progress = new Signal();

  constructor(readonly options: RelayOptions) {
    this.#stored = new StoredPosition(options.relayed, options.logger);
  }

  /** Every event up to here is confirmed. */
  get position(): number {
    return this.#position;
  }

  /** Reads the stored position, so that `position` tells the truth before the broker is there. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    this.#position = await this.#stored.load();
    this.#loaded = true;
  }

  /** Tells that the log has grown. */
  wake(): void {
    this.#logHasGrown = true;
    this.#wake.raise();
  }

  /**
   * Runs `work` at a moment when everything up to a position is confirmed and nothing after it was sent. Waits for a
   * relay that does not run now.
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

  /** Lets the broker confirm what is in the log now, for `timeoutMs` at most, and stores the position. */
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

  /** Sends until something fails; answers the failure once nothing is in flight any more. Undefined: closed or stopped. */
  async #send(publisher: Publisher, closed: AbortSignal): Promise<Failed | undefined> {
    const prefix = new ConfirmedPrefix();
    let inFlight = 0;
    let bytesInFlight = 0;
    let next = this.#position;
    /** Read, but not sent. Always a whole batch: a read for each few that there is room for took a quarter of the relay's time. */
    let unsent: LogEntry[] = [];
    let failure: Failed | undefined;
    /** How many may be in flight: few after a refusal, since the others get each that is refused twice. */
    let allowed = window;
    const refused: Refused[] = [];
    const ended = () => closed.aborted || this.#stopping;
    const { exchangeOf, tracing = noTracing } = this.options;

    const send = (entry: LogEntry) => {
      const message = toMessage(entry, exchangeOf(entry.type));
      const span = tracing.send(message);
      const confirm = prefix.send(entry.position);
      inFlight += 1;
      bytesInFlight += message.content.length;
      next = entry.position;
      publisher.send(message, (error) => {
        if (error) {
          span.end(troubleOf(error));
          this.tally[error instanceof Unroutable ? "returns" : "failures"] += 1;
          if (error instanceof Unroutable) failure ??= { error, entry };
          else refused.push({ entry, message, confirm });
        } else {
          span.end();
          this.tally.confirms += 1;
          allowed = Math.min(window, allowed + 1);
          this.#advance(confirm());
        }
        inFlight -= 1;
        bytesInFlight -= message.content.length;
        this.#wake.raise();
      });
    };

    while (!ended() && failure === undefined) {
      const { drained } = publisher;
      drained?.then(() => this.#wake.raise());
      if (refused.length > 0 && inFlight === 0) {
        failure = await this.#insist(publisher, refused.splice(0), closed);
        allowed = 1;
        continue;
      }
      if (allowed === window && refused.length === 0) this.options.refused.end();
      const pause = this.#pauses[0];
      if (pause && inFlight === 0) {
        this.#pauses.shift();
        await pause(next);
        continue;
      }
      const hasRoom = () => inFlight < allowed && bytesInFlight < windowBytes;
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
      // Lets requests and confirms in between.
      if (sent > 0) await new Promise(setImmediate);
      else {
        if (maySend && inFlight === 0) this.options.refused.end();
        await this.#wake.wait();
      }
    }
    while (inFlight > 0 && !ended()) await this.#wake.wait();
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
    // One warning for one streak of failures, not one for each event.
    const level = failures === 1 ? "warn" : "debug";
    logger[level]({ ...about, position: this.#position, pauseMs }, "An event did not reach its queue; it is sent again");
    if (failure instanceof Unroutable) {
      const { routingKey, exchange } = failure.routedTo;
      await makeRoute(routingKey, exchange).catch((error: unknown) =>
        logger[level]({ error: messageOf(error) }, "No queue could be made for an event"),
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
  async #pause(ms: number, closed: AbortSignal): Promise<boolean> {
    const until = performance.now() + ms;
    const ended = () => closed.aborted || this.#stopping;
    while (performance.now() < until && !ended()) await this.#wake.wait(until - performance.now());
    return !ended();
  }
}
