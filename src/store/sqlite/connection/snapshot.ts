import type { Database, Statement } from "bun:sqlite";
import { reading } from "./reading";

/** Maximum duration of a shared transaction, so that a manual checkpoint, for example, does not wait longer. */
const longestMs = 100;

/**
 * Lets reads share one transaction until the next commit. In a transaction of its own, a read would spend most of its time on
 * locks. Sharing is safe because only this process writes, and no commit is in progress.
 */
export class Snapshot {
  readonly #begin: Statement;
  readonly #end: Statement;
  #timer: Timer | undefined;
  #isOpen = false;

  /** @param mayShare returns whether no commit is in progress. Called at each read. */
  constructor(
    readonly db: Database,
    readonly mayShare: () => boolean,
  ) {
    this.#begin = db.prepare("BEGIN");
    // The transaction only reads. A COMMIT could fail, for example if the disk is full.
    this.#end = db.prepare("ROLLBACK");
  }

  read<T>(query: () => T): T {
    return reading(() => {
      this.#open();
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

  /** Lets all reads of `work` share a transaction, also while a commit is in progress. They need not call {@link read}. */
  during<T>(work: () => T): T {
    try {
      this.#open();
    } catch {
      // The reads then fail or succeed one by one.
    }
    try {
      return work();
    } finally {
      this.release();
    }
  }

  /**
   * Ends the shared transaction. Call it before each commit: this connection cannot begin another transaction before. On another
   * connection, SQLite could not restart its write-ahead log.
   */
  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    if (this.db.inTransaction) this.#end.run();
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#begin.run();
    this.#isOpen = true;
    if (this.mayShare()) this.#timer = setTimeout(() => this.release(), longestMs);
  }
}
