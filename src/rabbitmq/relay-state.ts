import type { Log } from "../observe/logging";
import type { Store } from "../store/store";
import { Signal } from "../timing/signal";
import { StoredPosition } from "./stored-position";

/** State of a relay that outlives a channel. */
export class RelayState {
  /** Responses of the broker since the start. */
  readonly tally = { confirms: 0, returns: 0, failures: 0 };
  /** Raised when there may be something to do. */
  readonly wake = new Signal();
  /** Raised whenever the position moves. */
  readonly progress = new Signal();
  /** Work that waits until everything sent is confirmed. It gets the position up to which that is the case. */
  readonly pauses: ((position: number) => Promise<void>)[] = [];
  /** True if the log has grown since events were last sent. */
  logHasGrown = false;
  /** True if nothing more is to be sent. */
  isStopping = false;
  #position = 0;
  readonly #stored: StoredPosition;
  #isLoaded = false;

  constructor(relayed: Store["relayed"], logger: Log) {
    this.#stored = new StoredPosition(relayed, logger);
  }

  /** Position up to which every event is confirmed. */
  get position(): number {
    return this.#position;
  }

  /** Loads the stored position, once. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#position = await this.#stored.load();
    this.#isLoaded = true;
  }

  /** Moves the position forward, and stores it soon. */
  advance(confirmedTo: number | undefined): void {
    if (confirmedTo === undefined || confirmedTo <= this.#position) return;
    this.#position = confirmedTo;
    this.progress.raise();
    this.#stored.moveTo(confirmedTo);
  }

  /** Ends everything that waits, and stores the position. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wake.raise();
    await this.#stored.stop();
  }

  /** Waits. Resolves with false if nothing more is to be sent, because the relay stops or `closed` aborts. */
  async pause(ms: number, closed?: AbortSignal): Promise<boolean> {
    const until = performance.now() + ms;
    const hasEnded = () => closed?.aborted || this.isStopping;
    while (performance.now() < until && !hasEnded()) await this.wake.wait(until - performance.now());
    return !hasEnded();
  }
}
