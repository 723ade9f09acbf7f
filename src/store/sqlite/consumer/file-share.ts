import type { Lane, Share } from "../../consumer/lanes";
import { onlyLane } from "../../consumer/lanes";
import { acquireLock, type Lock } from "../connection/lock";

/** Interval to check whether the process that has the lock has ended, in milliseconds. */
const tryEveryMs = 250;

/** The share of a process in a queue with a file: all of it, once it has the lock beside the file. */
export class FileShare implements Share {
  readonly count = 1;
  lanes: readonly Lane[] = [];
  readonly surplus = [];
  #lock: Lock | undefined;
  #timer: Timer | undefined;

  /** @param onChange called when it has got the lock later. */
  constructor(
    readonly lockFile: string,
    readonly onChange: () => void,
  ) {
    this.#try();
  }

  holds(): boolean {
    return this.#lock !== undefined;
  }

  async release(): Promise<void> {}

  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#lock?.release();
    this.#lock = undefined;
  }

  #try(): void {
    this.#lock = acquireLock(this.lockFile);
    if (this.#lock) this.lanes = [onlyLane];
    else
      this.#timer = setTimeout(() => {
        this.#try();
        if (this.#lock) this.onChange();
      }, tryEveryMs);
  }
}
