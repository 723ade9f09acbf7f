// Import the whole module, so that a simulation can replace `watch`.
import fs from "node:fs";
import { basename, dirname } from "node:path";

/** After this many unreported commits in a row, reports count as unreliable, as on a network file system. */
const mostMisses = 3;

/** Watches a database file: the operating system reports commits and a replaced file. */
export class LogWatch {
  #watcher: fs.FSWatcher | undefined;
  #hasTold = false;
  #misses = 0;

  /** @param tell called after each commit, or once after several. */
  constructor(file: string, tell: () => void) {
    const names = [basename(file), `${basename(file)}-wal`];
    try {
      this.#watcher = fs.watch(dirname(file), { persistent: false }, (_, name) => {
        if (name !== null && !names.includes(name)) return;
        this.#hasTold = true;
        this.#misses = 0;
        tell();
      });
      this.#watcher.on("error", () => this.close());
    } catch {
      // The system limits the number of watches. Without one, the caller has to poll.
    }
  }

  /** True if the caller can rely on reports and poll only occasionally. */
  get isReliable(): boolean {
    return this.#watcher !== undefined && this.#misses < mostMisses;
  }

  /** Call this when a commit was found, to count the commits that were not reported. */
  found(): void {
    if (!this.#hasTold) this.#misses += 1;
    this.#hasTold = false;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
