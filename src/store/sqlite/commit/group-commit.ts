import { Distribution, workSeconds } from "../../../observe/tally";
import type { Commits } from "../../changes/commits";
import type { Batch } from "../../changes/overlay";
import { StoreUnavailable } from "../../errors";
import type { CommitTally } from "../../store";
import { unavailable } from "../connection/unavailable";
import { CommitThreadLost } from "./commit-thread";
import type { CommitReport, Committer } from "./committer";
import { Uncommitted, type Writes } from "./uncommitted";

interface Waiting {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/** Changes that ran together and are not committed yet. */
interface Group {
  readonly changes: readonly Waiting[];
  readonly outcomes: readonly Outcome[];
  readonly batch: Batch<Writes[number]>;
  readonly isAlone: boolean;
}

/** Functions of a store that are called around its commits. */
interface GroupCommitHooks {
  /** Runs a group of changes, so that their reads can share what they need. */
  readonly together?: <T>(changes: () => T) => T;
  /** Called before a batch goes to the committer. */
  readonly beforeCommit?: () => void;
  /** Returns the ids of the newest events in the database, at most `count`. */
  readonly newestEvents?: (count: number) => ReadonlySet<string>;
  /**
   * Called after the promises of committed changes are settled.
   *
   * @param lastEvent position of the last event of the commit. Undefined if it has none, or if that is not known.
   */
  readonly afterAnswers?: (lastEvent: number | undefined) => void;
  /** Called when changes have failed that may be committed all the same. */
  readonly onUnknown?: () => void;
}

/** Maximum number of changes per group. It bounds how long one commit blocks the event loop. */
const maxGroup = 1024;
const groupSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, maxGroup];

/**
 * Runs changes in shared transactions. All changes that arrive during a commit go into the next one, so that they share one
 * fsync.
 *
 * A change runs before earlier changes are committed, and only records its writes ({@link Uncommitted}). Its promise settles
 * once the change, and everything that it read, is on disk.
 */
export class GroupCommit implements Commits {
  readonly tally: CommitTally = { seconds: new Distribution(workSeconds), changes: new Distribution(groupSizes), failures: 0 };
  readonly uncommitted = new Uncommitted();
  readonly #committer: Committer;
  /** Groups whose commit is not confirmed, oldest first. */
  readonly #underWay: Group[] = [];
  #waiting: Waiting[] = [];
  /** Number of waiting changes to run alone, because one of them made a group fail. */
  #alone = 0;
  #isScheduled = false;
  #isClosed = false;
  #onSettled: (() => void) | undefined;

  constructor(
    committerFor: (uncommitted: Uncommitted, report: CommitReport) => Committer,
    readonly hooks: GroupCommitHooks = {},
  ) {
    this.#committer = committerFor(this.uncommitted, {
      committed: (...commit) => this.#committed(...commit),
      failed: (error) => (error instanceof CommitThreadLost ? this.#lost(error) : this.#failed(unavailable(error))),
    });
  }

  /** True if any writes are not confirmed as committed. */
  get isUnderWay(): boolean {
    return this.#underWay.length > 0;
  }

  run<T>(change: () => T): Promise<T> {
    return this.#add(change, (waiting) => this.#waiting.push(waiting));
  }

  runFirst<T>(change: () => T): Promise<T> {
    // The changes that run alone are the first ones.
    return this.#add(change, (waiting) => (this.#alone > 0 ? this.#waiting.push(waiting) : this.#waiting.unshift(waiting)));
  }

  #add<T>(change: () => T, queue: (waiting: Waiting) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("The store is closed."));
    return new Promise<T>((resolve, reject) => {
      queue({ run: change, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Commits all pending changes, then closes the committer. */
  async close(): Promise<void> {
    do {
      this.flush();
      while (!this.#isIdle) {
        await new Promise<void>((resolve) => {
          this.#onSettled = resolve;
        });
      }
      // Callers whose promises have settled may make another change.
      await new Promise(setImmediate);
    } while (!this.#isIdle);
    this.#isClosed = true;
    await this.#committer.close();
  }

  get #isIdle(): boolean {
    return this.#underWay.length === 0 && this.#waiting.length === 0;
  }

  /** Runs the waiting changes and sends their writes to the committer. */
  flush(): void {
    this.#isScheduled = false;
    while (this.#waiting.length > 0) {
      const isAlone = this.#alone > 0;
      if (this.#underWay.length > 0 && (isAlone || this.#underWay[0]?.isAlone)) return;
      if (isAlone) this.#alone -= 1;
      this.#send(this.#waiting.splice(0, isAlone ? 1 : maxGroup), isAlone);
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  #send(changes: readonly Waiting[], isAlone: boolean): void {
    const batch = this.uncommitted.begin();
    const run = () => changes.map((waiting) => outcomeOf(() => this.uncommitted.run(batch, waiting.run)));
    const outcomes = this.hooks.together ? this.hooks.together(run) : run();
    const group = { changes, outcomes, batch, isAlone };
    if (batch.writes.length === 0 && !this.isUnderWay) {
      this.uncommitted.forget(batch);
      this.#settle([group]);
      return;
    }
    this.hooks.beforeCommit?.();
    this.#underWay.push(group);
    this.#committer.commit(batch.writes);
  }

  #committed(...[batches, seconds, lastEvent]: Parameters<CommitReport["committed"]>): void {
    const groups = this.#underWay.splice(0, batches);
    for (const { batch } of groups) this.uncommitted.forget(batch);
    this.tally.seconds.record(seconds);
    const outcomes = groups.flatMap((group) => group.outcomes);
    this.tally.changes.record(outcomes.filter((outcome) => "value" in outcome).length);
    this.#settle(groups, lastEvent);
  }

  #settle(groups: readonly Group[], lastEvent?: number): void {
    for (const { changes, outcomes } of groups) {
      outcomes.forEach((outcome, index) => {
        const waiting = changes[index] as Waiting;
        if ("value" in outcome) waiting.resolve(outcome.value);
        else waiting.reject(outcome.error);
      });
    }
    try {
      for (const { batch } of groups) for (const call of batch.onCommit) call();
      this.hooks.afterAnswers?.(lastEvent);
    } finally {
      this.#next();
    }
  }

  /**
   * Handles a committer that ended without reporting the outcome of pending groups. The log shows which of them were committed,
   * since groups commit in order. The changes of the others run again.
   */
  #lost(error: CommitThreadLost): void {
    let made: number;
    try {
      const count = this.#underWay.reduce((sum, { batch }) => sum + batch.eventIds.length, 0);
      const newest = this.hooks.newestEvents?.(count) ?? new Set();
      made = 1 + this.#underWay.findLastIndex(({ batch }) => newest.has(batch.eventIds.at(-1) ?? ""));
    } catch {
      this.#failed(error);
      this.hooks.onUnknown?.();
      return;
    }
    const groups = this.#underWay.splice(0);
    for (const { batch } of groups) this.uncommitted.forget(batch);
    this.#waiting = [...groups.slice(made).flatMap(({ changes }) => changes), ...this.#waiting];
    this.#settle(groups.slice(0, made));
  }

  /**
   * Runs the changes of failed groups again, each alone, so that one bad change does not fail the others. If the store is
   * unavailable or its thread is lost, rejects them all, since each would fail in the same way.
   */
  #failed(error: unknown): void {
    const groups = this.#underWay.splice(0);
    if (groups.length === 0) return;
    for (const { batch } of groups) this.uncommitted.forget(batch);
    const changes = groups.flatMap((group) => group.changes);
    if (error instanceof StoreUnavailable) this.tally.failures += 1;
    if (changes.length > 1 && !(error instanceof StoreUnavailable) && !(error instanceof CommitThreadLost)) {
      this.#waiting = [...changes, ...this.#waiting];
      this.#alone += changes.length;
    } else {
      for (const waiting of changes) waiting.reject(error);
    }
    this.#next();
  }

  #next(): void {
    if (this.#waiting.length > 0) this.#schedule();
    this.#onSettled?.();
  }
}

function outcomeOf(change: () => unknown): Outcome {
  try {
    return { value: change() };
  } catch (error) {
    return { error: unavailable(error) };
  }
}
