import type { Database, Statement } from "bun:sqlite";
import { LockRetry } from "../lock-wait";
import { hasMoved } from "./moved";
import type { Writes } from "./uncommitted";

/** Commits batches of writes in the order in which they arrive. */
export interface Committer {
  /** Commits a batch now or later, and reports the outcome to {@link Committed}. */
  commit(writes: Writes): void;
  /** Releases resources. Call it only when no commit is in progress. */
  close(): Promise<void>;
}

/** Receives the outcomes of a {@link Committer}. */
export interface Committed {
  /** The oldest `batches` pending batches are on disk. They were committed in one transaction of `seconds`. */
  committed(batches: number, seconds: number): void;
  /** All pending batches have failed. */
  failed(error: unknown): void;
}

const replacedMessage = "The database file was removed or replaced under the API; restart the API.";

/** Writes batches to a database. Each call of `commit` is one transaction. */
export class BatchWriter {
  readonly #begin: Statement;
  readonly #end: Statement;
  readonly #statements: Statement[] = [];

  /** @param sql the statements; a write names its statement by index. It may grow, as statements are prepared on first use. */
  constructor(
    readonly db: Database,
    readonly sql: readonly string[],
  ) {
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
  }

  /** Commits the batches in one transaction. Returns its duration in seconds. */
  commit(batches: readonly Writes[]): number {
    const startedAt = performance.now();
    try {
      this.#begin.run();
      if (hasMoved(this.db)) throw Object.assign(new Error(replacedMessage), { code: "SQLITE_READONLY_DBMOVED" });
      for (const writes of batches) for (const { statement, values } of writes) this.#statement(statement).run(...values);
      this.#end.run();
    } catch (error) {
      if (this.db.inTransaction) this.db.run("ROLLBACK");
      throw error;
    }
    return (performance.now() - startedAt) / 1000;
  }

  #statement(number: number): Statement {
    const statement = this.#statements[number] ?? this.db.prepare(this.sql[number] as string);
    this.#statements[number] = statement;
    return statement;
  }
}

/** Commits on the caller's thread: immediately, or once another process releases its lock within `patienceMs`. */
export class CommitterHere implements Committer {
  /** Batches that wait for the lock, oldest first. */
  #waiting: Writes[] = [];
  #retry: LockRetry | undefined;

  constructor(
    readonly writer: BatchWriter,
    readonly on: Committed,
    readonly patienceMs: number,
  ) {}

  /** True if batches wait for another process's lock. */
  get isHeldUp(): boolean {
    return this.#retry !== undefined;
  }

  commit(writes: Writes): void {
    this.#waiting.push(writes);
    if (!this.isHeldUp) this.#commitWaiting();
  }

  async close(): Promise<void> {}

  #commitWaiting(): void {
    let seconds: number;
    try {
      seconds = this.writer.commit(this.#waiting);
    } catch (error) {
      this.#retry ??= new LockRetry(this.patienceMs);
      const pauseMs = this.#retry.pauseMs(error);
      if (pauseMs !== undefined) {
        setTimeout(() => this.#commitWaiting(), pauseMs);
        return;
      }
      this.#take();
      this.on.failed(error);
      return;
    }
    this.on.committed(this.#take(), seconds);
  }

  /** Removes the waiting batches. Returns their number. */
  #take(): number {
    this.#retry = undefined;
    return this.#waiting.splice(0).length;
  }
}
