import type { BatchWriter } from "./batch-writer";
import { CommitThreadLost, startCommitThread } from "./commit-thread";
import type { CommitReport, Committer } from "./committer";
import { LocalCommitter } from "./local-committer";
import type { Writes } from "./uncommitted";

/**
 * Commits on the caller's thread while commits are quick, since a message to another thread would take as long. Otherwise
 * commits on a separate thread, so that the caller's thread stays free.
 */
export class AdaptiveCommitter implements Committer {
  readonly #local: LocalCommitter;
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
    readonly report: CommitReport,
  ) {
    this.#local = new LocalCommitter(
      writer,
      { committed: (...commit) => this.#committed(...commit), failed: (error) => report.failed(error) },
      bounds.patienceMs,
    );
  }

  commit(writes: Writes): void {
    // Batches that wait on this thread for a lock must be committed first.
    const isLocal = this.#local.isHeldUp || Math.min(...this.#last) < this.bounds.quickSeconds || !this.#hasThread();
    if (this.#underWay === 0 && isLocal) {
      this.#local.commit(writes);
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
        committed: (...commit) => {
          this.#underWay -= commit[0];
          this.#committed(...commit);
        },
        failed: (error) => {
          this.#underWay = 0;
          if (error instanceof CommitThreadLost) this.#lost(error);
          this.report.failed(error);
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

  #committed(...[batches, seconds, lastEvent]: Parameters<CommitReport["committed"]>): void {
    this.#last = [this.#last[1], seconds];
    this.report.committed(batches, seconds, lastEvent);
  }
}

function warn(error: unknown): void {
  process.emitWarning(`Committing on the main thread for now, where reads wait for the disk: ${String(error)}`);
}
