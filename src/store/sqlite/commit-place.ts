import { CommitThreadLost, startCommitThread } from "./commit-thread";
import { type BatchWriter, type Committed, type Committer, CommitterHere } from "./committer";
import type { Writes } from "./uncommitted";

/**
 * Commits on the caller's thread while commits are quick, since a message to another thread would take as long. Otherwise
 * commits on a separate thread, so that the caller's thread stays free.
 */
export class CommitPlace implements Committer {
  readonly #here: CommitterHere;
  #thread: Committer | undefined;
  #starting: Promise<void> | undefined;
  /** Number of batches that the thread is committing. */
  #underWay = 0;
  /** Duration of the last two commits in seconds. The shorter one counts, so that an occasional SQLite checkpoint has no effect. */
  #last: readonly [number, number] = [0, 0];

  /**
   * @param bounds.quickSeconds commits that take less are quick.
   * @param bounds.patienceMs how long to wait for another process's lock.
   */
  constructor(
    readonly writer: BatchWriter,
    readonly bounds: { readonly quickSeconds: number; readonly patienceMs: number },
    readonly on: Committed,
  ) {
    const told: Committed = {
      committed: (batches, seconds) => this.#committed(batches, seconds),
      failed: (error) => on.failed(error),
    };
    this.#here = new CommitterHere(writer, told, bounds.patienceMs);
  }

  commit(writes: Writes): void {
    // Batches that wait here for a lock must be committed first.
    const isHere = this.#here.isHeldUp || Math.min(...this.#last) < this.bounds.quickSeconds || !this.#hasThread();
    if (this.#underWay === 0 && isHere) {
      this.#here.commit(writes);
    } else {
      this.#underWay += 1;
      this.#thread?.commit(writes);
    }
  }

  async close(): Promise<void> {
    await this.#starting;
    await this.#thread?.close();
  }

  /** Returns whether the thread is running. If not, starts it for later batches. */
  #hasThread(): boolean {
    this.#starting ??= this.#start();
    return this.#thread !== undefined;
  }

  async #start(): Promise<void> {
    const { db, sql } = this.writer;
    try {
      this.#thread = await startCommitThread(db.filename, sql, this.bounds.patienceMs, {
        committed: (batches, seconds) => {
          this.#underWay -= batches;
          this.#committed(batches, seconds);
        },
        failed: (error) => {
          this.#underWay = 0;
          if (error instanceof CommitThreadLost) this.#lost(error);
          this.on.failed(error);
        },
      });
    } catch (error) {
      warn(error);
    }
  }

  #lost(error: CommitThreadLost): void {
    warn(error);
    this.#thread = undefined;
    // The next batch that needs a thread starts a new one.
    this.#starting = undefined;
  }

  #committed(batches: number, seconds: number): void {
    this.#last = [this.#last[1], seconds];
    this.on.committed(batches, seconds);
  }
}

function warn(error: unknown): void {
  process.emitWarning(`Commits are made on the main thread for now, where reads wait for the disk: ${String(error)}`);
}
