// How a change gets to disk: GroupCommit runs changes and hands their writes, as batches, to a committer.
//
//   GroupCommit → AdaptiveCommitter → LocalCommitter → BatchWriter            while commits are quick
//                                   → commit-thread ⇄ commit-worker → BatchWriter    on a separate thread, otherwise
//
// The outcomes come back, along the same path, as calls of a CommitReport.
import type { Writes } from "./uncommitted";

/** Commits batches of writes in the order in which they arrive. */
export interface Committer {
  /** Commits a batch now or later, and reports the outcome to the {@link CommitReport}. */
  commit(writes: Writes): void;
  /** Releases resources. Call it only when no commit is in progress. */
  close(): Promise<void>;
}

/** Receives the outcomes of a {@link Committer}. */
export interface CommitReport {
  /**
   * The oldest `batches` pending batches are on disk. They were committed in one transaction of `seconds`.
   *
   * @param lastEvent position of the last event that they added. Undefined if they added none.
   */
  committed(batches: number, seconds: number, lastEvent: number | undefined): void;
  /** All pending batches have failed. */
  failed(error: unknown): void;
}
