import { type Log, messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import type { Store } from "../store/store";
import { LogSender, type LogSenderOptions, type SendFailure } from "./log-sender";
import { type PublishChannel, Publisher, Unroutable } from "./publisher";
import { RelayState } from "./relay-state";

export interface RelayOptions extends LogSenderOptions {
  readonly relayed: Store["relayed"];
  /** Declares a queue for an event that no queue accepted. */
  readonly makeRoute: (eventType: string, exchange: string) => Promise<void>;
  readonly logger: Log;
}

const longestPauseMs = 5_000;

/**
 * Sends the event log to the broker, in order, and stores the position up to which everything is confirmed. After a crash, it can send
 * events again but never skips one.
 */
export class Relay {
  readonly #state: RelayState;

  constructor(readonly options: RelayOptions) {
    this.#state = new RelayState(options.relayed, options.logger);
  }

  /** Responses of the broker since the start. */
  get tally(): RelayState["tally"] {
    return this.#state.tally;
  }

  /** Position up to which every event is confirmed. */
  get position(): number {
    return this.#state.position;
  }

  /** Loads the stored position, so that `position` is correct before the broker is connected. */
  load(): Promise<void> {
    return this.#state.load();
  }

  /** Notifies the relay that the log has grown. */
  wake(): void {
    this.#state.logHasGrown = true;
    this.#state.wake.raise();
  }

  /**
   * Runs `work` when everything up to a position is confirmed and nothing after it was sent. If the relay is not running, waits until it
   * does.
   */
  whilePaused<T>(work: (position: number) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#state.pauses.push((position) => work(position).then(resolve, reject));
      this.#state.wake.raise();
    });
  }

  /** Sends events on this channel until it closes or the relay stops. */
  async run(channel: PublishChannel, closed: AbortSignal): Promise<void> {
    const state = this.#state;
    await this.load();
    const publisher = new Publisher(channel);
    closed.addEventListener("abort", () => state.wake.raise(), { once: true });
    let failures = 0;
    while (!closed.aborted && !state.isStopping) {
      const startedAt = state.position;
      const failure = await new LogSender(publisher, closed, state, this.options).run();
      if (failure === undefined || closed.aborted) break;
      failures = state.position > startedAt ? 1 : failures + 1;
      await this.#recover(failure, failures, closed);
    }
  }

  /** Waits up to `timeoutMs` for the broker to confirm the current log, stops the relay, and stores the position. */
  async stop(timeoutMs: number): Promise<void> {
    const { progress } = this.#state;
    const deadline = performance.now() + timeoutMs;
    const end = await this.options.log.end();
    while (this.position < end && performance.now() < deadline) await progress.wait(deadline - performance.now());
    await this.#state.stop();
  }

  async #recover({ error: failure, entry }: SendFailure, failures: number, closed: AbortSignal): Promise<void> {
    const { logger, makeRoute } = this.options;
    const about = { error: messageOf(failure), ...(entry && { event: entry.id, ...traceField(entry.traceparent) }) };
    const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures);
    // Warn once per series of failures, not once per event.
    const level = failures === 1 ? "warn" : "debug";
    logger[level]({ ...about, position: this.position, pauseMs }, "An event did not reach its queue; sending it again");
    if (failure instanceof Unroutable) {
      const { routingKey, exchange } = failure.routedTo;
      await makeRoute(routingKey, exchange).catch((error: unknown) =>
        logger[level]({ error: messageOf(error) }, "Cannot create a queue for an event"),
      );
    }
    await this.#state.pause(pauseMs, closed);
  }
}
