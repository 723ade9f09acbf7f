// The whole module, so that a simulation can put another `watch` in its place.
import fs from "node:fs";
import { basename, dirname } from "node:path";

/** So many commits in a row that the system did not tell of: it does not, as on a network file system. */
const mostMisses = 3;

/** Has the operating system tell of each commit to a database, and of another file in its place. */
export class LogWatch {
  #watcher: fs.FSWatcher | undefined;
  #hasTold = false;
  #misses = 0;

  /** @param tell called for each commit, or once for several. */
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
      // There is a limit to the number of watches; whoever looks by itself finds the commits, too.
    }
  }

  /** Whether it is enough to look now and then. */
  get isReliable(): boolean {
    return this.#watcher !== undefined && this.#misses < mostMisses;
  }

  /** To be called when a commit was found. */
  found(): void {
    if (!this.#hasTold) this.#misses += 1;
    this.#hasTold = false;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
