import { Distribution } from "../observe/tally";
import type { Store } from "../store/store";
import { now } from "../timing/clock";
import type { ConsumerReports, ReportedConsumer } from "./consumer-reports";
import { type History, type Range, StatusHistory } from "./history";
import { RecentLatency } from "./latency";
import { here, type Status } from "./status";
import { needsOf } from "./system-needs";
import { type Sources, SystemObserver } from "./system-state";

export interface LiveStatusOptions {
  readonly sources: Sources;
  readonly store: Pick<Store, "log" | "tally" | "onAppend">;
  /** Resolves with the position up to which RabbitMQ has confirmed every event. Undefined without RabbitMQ. */
  readonly confirmed?: (() => Promise<number>) | undefined;
  /** Times from the change until RabbitMQ confirmed its event. Undefined without RabbitMQ. */
  readonly confirmSeconds?: Distribution | undefined;
  readonly reports: ConsumerReports;
  /** Listens for reports while somebody looks. Default: they come by themselves. */
  readonly listener?: { start(): void; stop(): void } | undefined;
  /** Durations of requests that change something. */
  readonly changeSeconds: Distribution;
  /** Interval between two looks while somebody follows, and period over which rates are measured, in milliseconds. Default: 1000. */
  readonly everyMs?: number;
}

/** Time after which a look is too old to measure rates since, in milliseconds. */
const staleMs = 10_000;
/** Time without a look after which the connections to the log are closed, in milliseconds. */
const idleMs = 60_000;

const nothing = new Distribution([]);

/** The state of the system for all who look at it over HTTP. Looks only while somebody does. */
export class LiveStatus {
  /** Durations of requests that change something, in seconds. */
  readonly changeSeconds: Distribution;
  readonly #options: LiveStatusOptions;
  readonly #everyMs: number;
  readonly #history = new StatusHistory();
  readonly #followers = new Set<Follower>();
  readonly #latency: Record<keyof Status["latency"], RecentLatency>;
  #observer: SystemObserver | undefined;
  #latest: { readonly status: Status; readonly at: number } | undefined;
  #looking: Promise<Status> | undefined;
  #idle: Timer | undefined;
  #tick: Timer | undefined;
  #sampling: Timer | undefined;
  #closed = false;

  constructor(options: LiveStatusOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 1000;
    this.changeSeconds = options.changeSeconds;
    this.#latency = {
      request: new RecentLatency(() => options.changeSeconds),
      commit: new RecentLatency(() => options.store.tally.commits.seconds),
      confirm: new RecentLatency(() => options.confirmSeconds ?? nothing),
      delay: new RecentLatency(() => options.reports.totals.delay),
      handler: new RecentLatency(() => options.reports.totals.handler),
    };
    // What is committed from now on counts from where the log is.
    this.#sampleIn(0);
    options.store.onAppend(() => this.#sampleIn(1000, true));
  }

  /**
   * Resolves with the state of at most a second ago. Takes a second to measure rates if nobody has looked lately.
   */
  async look(): Promise<Status> {
    if (this.#latest && this.#age() < this.#everyMs) return this.#latest.status;
    if (this.#age() > staleMs) {
      await this.#lookOnce();
      await Bun.sleep(this.#everyMs);
    }
    return this.#lookOnce();
  }

  /** Calls `follower` with the state each second, the first time soon. Returns a function that ends this. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    if (!this.#tick && !this.#closed) this.#tickIn(0);
    return () => void this.#followers.delete(follower);
  }

  /** Resolves with the consumers that have reported lately. */
  async consumers(): Promise<ReportedConsumer[]> {
    const { reports, listener } = this.#options;
    listener?.start();
    this.#closeWhenIdle();
    await reports.look();
    return reports.list();
  }

  /** Returns what happened in a part of time until now, as far as this process knows. */
  history(range: Range): History {
    return this.#history.read(range, now());
  }

  /** Ends all looks. */
  close(): void {
    this.#closed = true;
    this.#followers.clear();
    this.#options.listener?.stop();
    for (const timer of [this.#tick, this.#sampling, this.#idle]) clearTimeout(timer);
    this.#observer?.close();
    this.#observer = undefined;
  }

  #tickIn(ms: number): void {
    this.#tick = setTimeout(async () => {
      const startedAt = performance.now();
      if (this.#followers.size > 0) await this.#tell();
      this.#tick = undefined;
      const tookMs = performance.now() - startedAt;
      if (this.#followers.size > 0) this.#tickIn(Math.max(this.#everyMs / 2, this.#everyMs - tookMs));
    }, ms);
    this.#tick.unref();
  }

  async #tell(): Promise<void> {
    try {
      // The rates of the first look of all are 0, so that nobody waits for it.
      const status = await this.#lookOnce();
      for (const follower of this.#followers) follower.onStatus(status);
    } catch (error) {
      for (const follower of this.#followers) follower.onFailure(error);
    }
  }

  /** Returns the milliseconds since the latest look. */
  #age(): number {
    return this.#latest ? performance.now() - this.#latest.at : Number.POSITIVE_INFINITY;
  }

  #lookOnce(): Promise<Status> {
    this.#looking ??= this.#observe().finally(() => {
      this.#looking = undefined;
      this.#closeWhenIdle();
    });
    return this.#looking;
  }

  async #observe(): Promise<Status> {
    this.#observer ??= new SystemObserver(this.#options.sources);
    const state = await this.#observer.look();
    const at = performance.now();
    const { sources, reports } = this.#options;
    const consumers = await this.consumers();
    const sum = (pick: (consumer: ReportedConsumer) => number) =>
      consumers.length === 0 ? null : consumers.reduce((total, consumer) => total + pick(consumer), 0);
    const { request, commit, confirm, delay, handler } = this.#latency;
    const status: Status = {
      ...state,
      needs: needsOf(state),
      flow: {
        committed: state.log?.perSecond ?? 0,
        confirmed: state.relay?.perSecond ?? null,
        handled: sum(({ handledPerSecond }) => handledPerSecond),
        failed: sum(({ failedPerSecond }) => failedPerSecond),
      },
      latency: {
        request: request.look(at),
        commit: commit.look(at),
        confirm: confirm.look(at),
        delay: delay.look(at),
        handler: handler.look(at),
      },
      here: here(sources.config),
    };
    this.#latest = { status, at };
    this.#history.add(now(), {
      ...{ committed: state.log?.events, confirmed: state.relay?.confirmed, waiting: state.queues ?? undefined },
      ...(consumers.length > 0 && { handled: reports.totals.handled, failed: reports.totals.failed }),
    });
    return status;
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#options.listener?.stop();
      this.#observer?.close();
      this.#observer = undefined;
    }, idleMs);
    this.#idle.unref();
  }

  /**
   * Notes how far the log and the relay are, so that the history is complete although nobody looked.
   *
   * @param again whether to note it once more after that, for events that RabbitMQ confirms only then.
   */
  #sampleIn(ms: number, again = false): void {
    if (this.#sampling || this.#followers.size > 0) return;
    this.#sampling = setTimeout(async () => {
      const { store, confirmed } = this.#options;
      // A store that cannot be read now is read with the next events.
      const [end, relayed] = await Promise.all([store.log.end(), confirmed?.()]).catch(() => []);
      this.#sampling = undefined;
      if (end === undefined) return;
      this.#history.add(now(), { committed: end, confirmed: relayed });
      if (again && relayed !== undefined && relayed < end) this.#sampleIn(ms);
    }, ms);
    this.#sampling.unref();
  }
}

/** Whoever follows the status. */
export interface Follower {
  onStatus(status: Status): void;
  /** Called with the error if the state cannot be read. It is read again after a second. */
  onFailure(error: unknown): void;
}
