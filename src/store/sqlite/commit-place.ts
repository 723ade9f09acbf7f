import { CommitThreadLost, startCommitThread } from "./commit-thread";
import { type BatchWriter, type Committed, type Committer, CommitterHere } from "./committer";
import type { Writes } from "./uncommitted";

/**
 * Commits on the caller's thread while that is quick, for another one would hear of it no sooner; otherwise on a thread of
 * its own, so that the caller can go on meanwhile.
 */
export class CommitPlace implements Committer {
  readonly #here: CommitterHere;
  #thread: Committer | undefined;
  #starting: Promise<void> | undefined;
  /** Batches that the thread has. */
  #underWay = 0;
  /** How long the last two commits took: a checkpoint of SQLite now and then makes none of them slow. */
  #last: readonly [number, number] = [0, 0];

  /** @param bounds what takes less is quick, and how long a lock of another process is waited for. */
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
    // Behind what waits here for a lock, in its order.
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

  /** Starts it when there is none, for those that come later. */
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
    // Whoever needs one next starts another.
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
