import type { LogWatch } from "../store/sqlite/log-watch";
import { steadyNow } from "../timing/steady-time";

/** Shortest pause, used right after a commit, in milliseconds. */
const shortestMs = 1;
/** Pause if the operating system does not report commits, or if more than commits is awaited, in milliseconds. */
const untoldMs = 5;
/** Longest pause if the operating system reports commits, in milliseconds. */
const longestMs = 100;

/** Pause after which a reader of the log looks for new events by itself. It grows while nothing happens. */
export class IdlePause {
  #ms = shortestMs;

  constructor(readonly watch: Pick<LogWatch, "isReliable" | "found">) {}

  /** Call when the operating system reports a commit. It reports the write; readers see the commit slightly later. */
  told(): void {
    this.#ms = shortestMs;
  }

  /** Call when a commit was found. */
  found(): void {
    this.watch.found();
    this.#ms = shortestMs;
  }

  /**
   * Returns the next pause, in milliseconds.
   *
   * @param mayRest whether only commits are awaited.
   * @param dueAt latest end of the pause, by {@link steadyNow}.
   */
  next(mayRest: boolean, dueAt = Number.POSITIVE_INFINITY): number {
    const ms = mayRest && this.watch.isReliable ? this.#ms : untoldMs;
    this.#ms = Math.min(longestMs, this.#ms * 2);
    return Math.max(shortestMs, Math.min(ms, dueAt - steadyNow()));
  }
}
