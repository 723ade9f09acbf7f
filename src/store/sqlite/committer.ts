import type { Database, Statement } from "bun:sqlite";
import { LockRetry } from "./lock-wait";
import { hasMoved } from "./moved";
import type { Writes } from "./uncommitted";

/** Takes batches of writes, and commits them in the order in which they come. */
export interface Committer {
  /** What became of it is told to {@link Committed}, now or later. */
  commit(writes: Writes): void;
  /** Gives up what it holds. To be called when nothing is under way. */
  close(): Promise<void>;
}

export interface Committed {
  /** The oldest batches that were not committed are on disk: so many, with one transaction, which took so long. */
  committed(batches: number, seconds: number): void;
  /** Not one of the batches that were not committed will be. */
  failed(error: unknown): void;
}

const replacedMessage = "The database file was removed or replaced under the API; restart the API.";

/** Writes batches into a database, each time as one transaction. */
export class BatchWriter {
  readonly #begin: Statement;
  readonly #end: Statement;
  readonly #statements: Statement[] = [];

  /** @param sql the statements by their numbers. May grow: one is prepared when it is first written with. */
  constructor(
    readonly db: Database,
    readonly sql: readonly string[],
  ) {
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
  }

  /** Answers how long it took, in seconds. */
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

/** Commits on the thread of the caller: at once, or when another process gives back its lock, if that is soon. */
export class CommitterHere implements Committer {
  /** Batches that wait for the lock, the oldest first. */
  #waiting: Writes[] = [];
  #retry: LockRetry | undefined;

  constructor(
    readonly writer: BatchWriter,
    readonly on: Committed,
    readonly patienceMs: number,
  ) {}

  /** Whether a lock of another process holds up what was to be committed. */
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

  /** Returns how many there were. */
  #take(): number {
    this.#retry = undefined;
    return this.#waiting.splice(0).length;
  }
}
