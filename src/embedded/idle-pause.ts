import type { LogWatch } from "../store/sqlite/log-watch";
import { steadyNow } from "../timing/steady-time";

/** How soon a new event is looked for after something has happened, */
const shortestMs = 1;
/** where the operating system does not tell of commits, */
const untoldMs = 5;
/** and where it does, and nothing happens. */
const longestMs = 100;

/** How long a reader of the log waits before it looks by itself: the longer nothing happens, the longer. */
export class IdlePause {
  #ms = shortestMs;

  constructor(readonly watch: Pick<LogWatch, "isReliable" | "found">) {}

  /** To be called when the operating system tells of a commit. That is when it is written, and it can be read a little later. */
  told(): void {
    this.#ms = shortestMs;
  }

  /** To be called when a commit was found. */
  found(): void {
    this.watch.found();
    this.#ms = shortestMs;
  }

  /**
   * Returns the next pause, in milliseconds.
   *
   * @param mayRest whether commits are all that is waited for.
   * @param dueAt when it ends at the latest, by {@link steadyNow}.
   */
  next(mayRest: boolean, dueAt = Number.POSITIVE_INFINITY): number {
    const ms = mayRest && this.watch.isReliable ? this.#ms : untoldMs;
    this.#ms = Math.min(longestMs, this.#ms * 2);
    return Math.max(shortestMs, Math.min(ms, dueAt - steadyNow()));
  }
}
