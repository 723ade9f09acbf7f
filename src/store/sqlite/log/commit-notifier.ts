import type { Notifier } from "../../log-follower";
import { LogWatch } from "./log-watch";

/** Shortest pause, used right after a commit, in milliseconds. */
const shortestMs = 1;
/** Pause if the operating system does not report commits, or if more than commits is awaited, in milliseconds. */
const untoldMs = 5;
/** Longest pause if the operating system reports commits, in milliseconds. */
const longestMs = 100;

/** Tells of commits to a database file: by reports of the operating system, and by looking for itself in case there are none. */
export class CommitNotifier implements Notifier {
  readonly #watch: LogWatch;
  #ms = shortestMs;

  /**
   * @param hasChanged returns whether another connection has committed since the previous call.
   * @param tell called when the operating system reports a commit. It reports the write; readers see the commit slightly later.
   */
  constructor(
    file: string,
    readonly hasChanged: () => boolean,
    tell: () => void,
  ) {
    this.#watch = new LogWatch(file, () => {
      this.#ms = shortestMs;
      tell();
    });
  }

  changed(): boolean {
    if (!this.hasChanged()) return false;
    this.#watch.found();
    this.#ms = shortestMs;
    return true;
  }

  pauseMs(onlyCommits: boolean): number {
    const ms = onlyCommits && this.#watch.isReliable ? this.#ms : untoldMs;
    this.#ms = Math.min(longestMs, this.#ms * 2);
    return ms;
  }

  close(): void {
    this.#watch.close();
  }
}
