import type { Database, Statement } from "bun:sqlite";
import { reading } from "./log-reader";

/** Nobody waits for it any longer than this, such as a checkpoint that somebody asks for by hand. */
const longestMs = 100;

/**
 * Reads that share one transaction until the next commit. The locks of a transaction of its own would cost a read ten
 * times as much as the look into the table. While one process does all the writing, nothing can change in between.
 */
export class Snapshot {
  readonly #begin: Statement;
  readonly #end: Statement;
  #timer: Timer | undefined;
  #open = false;

  constructor(readonly db: Database) {
    this.#begin = db.prepare("BEGIN");
    this.#end = db.prepare("COMMIT");
  }

  read<T>(query: () => T): T {
    return reading(() => {
      if (!this.#open) {
        this.#begin.run();
        this.#open = true;
        this.#timer = setTimeout(() => this.release(), longestMs);
      }
      try {
        return query();
      } catch (error) {
        this.release();
        throw error;
      }
    });
  }

  /** Has to be called before a commit begins, which could not take the log of SQLite back to its start otherwise. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#timer);
    if (this.db.inTransaction) this.#end.run();
  }
}
