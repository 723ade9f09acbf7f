import type { Log } from "../observe/logging";
import type { Distribution } from "../observe/tally";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import type { Pace } from "../timing/pace";
import { Signal } from "../timing/signal";
import { FreshEvents } from "./fresh-events";
import { StoredPosition } from "./stored-position";

export interface RelayStateOptions {
  readonly relayed: Store["relayed"];
  readonly leadership: Leadership;
  /** Aborts when nothing more is to be sent. */
  readonly stopping: AbortSignal;
  /** Work that waits until everything sent is confirmed. It gets the position up to which that is the case. */
  readonly pauses: ((position: number) => Promise<void>)[];
  /** Raised whenever the position moves. */
  readonly progress: Signal;
  /** Responses of the broker since the start. */
  readonly tally: RelayTally;
  /** Slows down requests that change more than the broker confirms. */
  readonly pace: Pace;
  readonly logger: Log;
}

export interface RelayTally {
  confirms: number;
  returns: number;
  failures: number;
  /** Times from the change until RabbitMQ confirmed its event. */
  readonly seconds: Distribution;
}

/** State of a relay while this process leads, on one channel. */
export class RelayState {
  /** Raised when there may be something to do. */
  readonly wake = new Signal();
  /** True if the log has grown since events were last sent. */
  logHasGrown = false;
  /** The events that this process has committed since it sends. */
  readonly fresh = new FreshEvents();
  readonly #stored: StoredPosition;
  #position: number;
  #ending: Promise<void> | undefined;

  /** @param position stored position. */
  constructor(
    readonly options: RelayStateOptions,
    position: number,
  ) {
    this.#position = position;
    this.#stored = new StoredPosition(options, position);
    for (const signal of [options.leadership.until, options.stopping])
      signal.addEventListener("abort", () => this.wake.raise(), { once: true });
  }

  get tally(): RelayTally {
    return this.options.tally;
  }

  get pauses(): RelayStateOptions["pauses"] {
    return this.options.pauses;
  }

  /** Position up to which every event is confirmed. */
  get position(): number {
    return this.#position;
  }

  /** True if nothing more is to be sent, because the relay stops, its channel closed, or another process may lead. */
  get hasEnded(): boolean {
    return this.options.stopping.aborted || !this.options.leadership.holds();
  }

  /** Moves the position forward, and stores it soon. */
  advance(confirmedTo: number | undefined): void {
    if (confirmedTo === undefined || confirmedTo <= this.#position) return;
    this.#position = confirmedTo;
    this.options.progress.raise();
    this.options.pace.confirmedTo(confirmedTo);
    this.#stored.moveTo(confirmedTo);
  }

  /** Stores the position a last time. */
  end(): Promise<void> {
    this.#ending ??= this.#stored.stop();
    return this.#ending;
  }

  /** Waits. Resolves with false if nothing more is to be sent. */
  async pause(ms: number): Promise<boolean> {
    await this.#wait(ms, () => this.hasEnded);
    return !this.hasEnded;
  }

  /** Waits before the next channel, also if this one is closed, unless the relay stops. */
  rest(ms: number): Promise<void> {
    return this.#wait(ms, () => this.options.stopping.aborted);
  }

  async #wait(ms: number, hasEnded: () => boolean): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && !hasEnded()) await this.wake.wait(until - performance.now());
  }
}
