import type { Database, Statement } from "bun:sqlite";
import { reading } from "./reading";

/** Nobody waits for it any longer than this, such as a checkpoint that somebody asks for by hand. */
const longestMs = 100;

/**
 * Reads that share one transaction until the next commit. The locks of a transaction of its own would cost a read ten
 * times as much as the look into the table. While one process does all the writing, and nothing of that is under way,
 * nothing can change in between.
 */
export class Snapshot {
  readonly #begin: Statement;
  readonly #end: Statement;
  #timer: Timer | undefined;
  #isOpen = false;

  /** @param mayShare asked at each read: whether nothing is being written. */
  constructor(
    readonly db: Database,
    readonly mayShare: () => boolean,
  ) {
    this.#begin = db.prepare("BEGIN");
    // It has written nothing; a commit could fail, such as with a full disk.
    this.#end = db.prepare("ROLLBACK");
  }

  read<T>(query: () => T): T {
    return reading(() => {
      if (!this.#isOpen) this.#open();
      try {
        const found = query();
        if (!this.mayShare()) this.release();
        return found;
      } catch (error) {
        this.release();
        throw error;
      }
    });
  }

  /**
   * Has to be called before a commit begins: on this connection it could not, and another could not take the log of SQLite
   * back to its start.
   */
  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    if (this.db.inTransaction) this.#end.run();
  }

  #open(): void {
    this.#begin.run();
    this.#isOpen = true;
    if (this.mayShare()) this.#timer = setTimeout(() => this.release(), longestMs);
  }
}
