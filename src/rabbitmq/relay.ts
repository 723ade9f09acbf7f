import { type Log, messageOf } from "../observe/logging";
import { Distribution, workOrWaitSeconds } from "../observe/tally";
import { traceField } from "../observe/traceparent";
import type { Leadership } from "../store/leadership";
import type { LogEntry } from "../store/log";
import type { Store } from "../store/store";
import { Pace } from "../timing/pace";
import { atMost } from "../timing/pause";
import { Signal } from "../timing/signal";
import { LogLooks } from "./log-looks";
import { LogSender, type LogSenderOptions, type SendFailure } from "./log-sender";
import { type PublishChannel, Publisher, Unroutable } from "./publisher";
import { RelayState, type RelayTally } from "./relay-state";

export interface RelayOptions extends LogSenderOptions {
  readonly relayed: Store["relayed"];
  /** Declares a queue for an event that no queue accepted. The routing key is its type, or on the default exchange the name of the queue. */
  readonly makeRoute: (routingKey: string, exchange: string) => Promise<void>;
  readonly logger: Log;
}

const longestPauseMs = 5_000;
/** Maximum time to store the position at a stop, in milliseconds. */
const longestSaveMs = 1000;
/** Interval at which a stop looks how far another process has come, in milliseconds. */
const lookEveryMs = 50;

/**
 * Sends the event log to the broker, in order, and stores the position up to which everything is confirmed. After a crash, it can send
 * events again but never skips one. Of several processes, one sends at a time.
 */
export class Relay {
  /** Responses of the broker to this process since its start. */
  readonly tally: RelayTally = { confirms: 0, returns: 0, failures: 0, seconds: new Distribution(workOrWaitSeconds) };
  /** Slows down requests while the broker confirms fewer events than they make. */
  readonly pace = new Pace();
  readonly #stopping = new AbortController();
  /** Raised whenever the position moves. */
  readonly #progress = new Signal();
  readonly #pauses: ((position: number) => Promise<void>)[] = [];
  readonly #looks: LogLooks;
  /** Undefined while this process does not send. */
  #state: RelayState | undefined;
  /** True if the log has grown since this process sent events. */
  #logHasGrown = false;

  constructor(readonly options: RelayOptions) {
    const position = async () => {
      const stored = this.isRunning ? undefined : await options.relayed.load();
      return this.isRunning ? undefined : stored;
    };
    this.#looks = new LogLooks({ log: options.log, position, pace: this.pace, stopping: this.stopping });
  }

  /** Aborts when the relay stops. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** True while this process sends the log, and no other does. */
  get isRunning(): boolean {
    return this.#state !== undefined;
  }

  /** Resolves with the position up to which every event is confirmed, whichever process sends. */
  async position(): Promise<number> {
    return this.#state?.position ?? (await this.options.relayed.load());
  }

  /**
   * Notifies the relay that the log has grown.
   *
   * @param appended the events that were added, without a gap. Undefined: to be read from the log.
   */
  wake(appended?: readonly LogEntry[]): void {
    const state = this.#state;
    const last = appended?.at(-1);
    if (last) this.pace.producedTo(last.position);
    else this.#looks.look();
    if (!state) {
      this.#logHasGrown = true;
      return;
    }
    state.logHasGrown = true;
    state.fresh.add(appended);
    state.wake.raise();
  }

  /**
   * Runs `work` when everything up to a position is confirmed and nothing after it was sent. If the relay is not running, waits until it
   * does. Resolves without running `work` if `stop` aborts first.
   */
  whilePaused(work: (position: number) => Promise<void>, stop: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const paused = (position: number) => work(position).then(resolve, reject);
      this.#pauses.push(paused);
      const leave = () => {
        const index = this.#pauses.indexOf(paused);
        if (index < 0) return;
        this.#pauses.splice(index, 1);
        resolve();
      };
      if (stop.aborted) leave();
      stop.addEventListener("abort", leave, { once: true });
      this.#state?.wake.raise();
    });
  }

  /** Continues after the stored position. Sends events on this channel until the leadership ends or the relay stops. */
  async run(channel: PublishChannel, leadership: Leadership): Promise<void> {
    const { options, stopping, tally } = this;
    if (stopping.aborted) return;
    const position = await options.relayed.takeOver(leadership);
    const { pace } = this;
    const means = { ...options, leadership, stopping, tally, pace, pauses: this.#pauses, progress: this.#progress };
    const state = new RelayState(means, position);
    state.logHasGrown = this.#logHasGrown;
    this.#logHasGrown = false;
    this.#state = state;
    try {
      await this.#send(new Publisher(channel, () => leadership.holds()), leadership.until, state);
    } finally {
      this.#state = undefined;
      this.pace.open();
      await state.end();
    }
  }

  /** Waits up to `timeoutMs` for the broker to confirm the current log, stops the relay, and stores the position. */
  async stop(timeoutMs: number): Promise<void> {
    // A database that does not answer must not keep the process from ending.
    await atMost(timeoutMs, this.#confirmed(performance.now() + timeoutMs)).catch(() => {});
    this.#stopping.abort();
    await atMost(longestSaveMs, this.#state?.end() ?? Promise.resolve());
  }

  /** Resolves when the broker has confirmed the current log, or at a time by `performance.now()`. */
  async #confirmed(deadline: number): Promise<void> {
    const end = await this.options.log.end();
    // Also if this process does not send: it may be about to, and another that does is soon done.
    while (performance.now() < deadline && (await this.position()) < end)
      await this.#progress.wait(Math.min(lookEveryMs, deadline - performance.now()));
  }

  async #send(publisher: Publisher, until: AbortSignal, state: RelayState): Promise<void> {
    let failures = 0;
    while (!state.hasEnded) {
      const startedAt = state.position;
      const failure = await new LogSender(publisher, until, state, this.options).run();
      if (failure === undefined || until.aborted) break;
      failures = state.position > startedAt ? 1 : failures + 1;
      await this.#recover(failure, failures, state);
    }
  }

  async #recover({ error: failure, entry }: SendFailure, failures: number, state: RelayState): Promise<void> {
    const { logger, makeRoute } = this.options;
    const about = { error: messageOf(failure), ...(entry && { event: entry.id, ...traceField(entry.traceparent) }) };
    const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures);
    // Warn once per series of failures, not once per event.
    const level = failures === 1 ? "warn" : "debug";
    logger[level]({ ...about, position: state.position, pauseMs }, "An event did not reach its queue; sending it again");
    if (failure instanceof Unroutable) {
      const { routingKey, exchange } = failure.routedTo;
      await makeRoute(routingKey, exchange).catch((error: unknown) =>
        logger[level]({ error: messageOf(error) }, "Cannot create a queue for an event"),
      );
    }
    await state.pause(pauseMs);
  }
}
