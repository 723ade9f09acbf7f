import { LockRetry } from "../connection/lock-wait";
import type { BatchWriter } from "./batch-writer";
import type { CommitReport, Committer } from "./committer";
import type { Writes } from "./uncommitted";

/** Commits on the caller's thread: immediately, or once another process releases its lock within `patienceMs`. */
export class LocalCommitter implements Committer {
  /** Batches that wait for the lock, oldest first. */
  #waiting: Writes[] = [];
  #retry: LockRetry | undefined;

  constructor(
    readonly writer: BatchWriter,
    readonly report: CommitReport,
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
      this.report.failed(error);
      return;
    }
    this.report.committed(this.#take(), seconds, this.writer.lastEvent);
  }

  /** Removes the waiting batches. Returns their number. */
  #take(): number {
    this.#retry = undefined;
    return this.#waiting.splice(0).length;
  }
}
