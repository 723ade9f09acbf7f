import { Distribution, workSeconds } from "../../observe/tally";
import { StoreUnavailable } from "../errors";
import type { CommitTally } from "../store";
import { CommitThreadLost } from "./commit-thread";
import type { Committed, Committer } from "./committer";
import { unavailable } from "./unavailable";
import { type Batch, Uncommitted } from "./uncommitted";

interface Waiting {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/** Changes that were run together, until they are committed. */
interface Group {
  readonly changes: readonly Waiting[];
  readonly outcomes: readonly Outcome[];
  readonly batch: Batch;
  readonly isAlone: boolean;
}

/** Bounds how long one commit holds up the event loop. */
const maxGroup = 1024;
const groupSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, maxGroup];

/**
 * Runs changes in transactions that they share: all that arrive while a commit is under way go into the next one,
 * so that one fsync serves them all.
 *
 * A change runs before those ahead of it are committed, and only notes what is to be written ({@link Uncommitted}). It is
 * answered when it is on disk, and with it everything that it has seen.
 */
export class GroupCommit {
  readonly tally: CommitTally = { seconds: new Distribution(workSeconds), changes: new Distribution(groupSizes), failures: 0 };
  readonly uncommitted = new Uncommitted();
  readonly #committer: Committer;
  /** The oldest first. */
  readonly #underWay: Group[] = [];
  #waiting: Waiting[] = [];
  /** So many of those that wait are run alone, as one of them has failed a group. */
  #alone = 0;
  #isScheduled = false;
  #isClosed = false;
  #onSettled: (() => void) | undefined;

  constructor(
    committerFor: (uncommitted: Uncommitted, on: Committed) => Committer,
    readonly on: {
      /** Before a batch is handed on. */
      readonly begin?: () => void;
      /** Looks into the database: the ids of up to so many events, the newest ones. */
      readonly newestEvents?: (count: number) => ReadonlySet<string>;
      /** When those are answered whose changes were committed. */
      readonly answered?: () => void;
    } = {},
  ) {
    this.#committer = committerFor(this.uncommitted, {
      committed: (batches, seconds) => this.#committed(batches, seconds),
      failed: (error) => (error instanceof CommitThreadLost ? this.#lost(error) : this.#failed(unavailable(error))),
    });
  }

  /** Whether anything is written that is not known to be committed. */
  get isUnderWay(): boolean {
    return this.#underWay.length > 0;
  }

  /** Fulfils after the commit. `change` may run several times, but only one run is ever committed. */
  run<T>(change: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("The store is closed."));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run: change, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Commits everything that waits and that is under way, and ends what makes the commits. */
  async close(): Promise<void> {
    do {
      this.flush();
      while (!this.#isIdle) {
        await new Promise<void>((resolve) => {
          this.#onSettled = resolve;
        });
      }
      // Those who were answered may have another change to make.
      await new Promise(setImmediate);
    } while (!this.#isIdle);
    this.#isClosed = true;
    await this.#committer.close();
  }

  get #isIdle(): boolean {
    return this.#underWay.length === 0 && this.#waiting.length === 0;
  }

  /** Sends everything that waits on its way. */
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
    const outcomes = changes.map((waiting) => outcomeOf(() => this.uncommitted.run(batch, waiting.run)));
    const group = { changes, outcomes, batch, isAlone };
    if (batch.writes.length === 0 && !this.isUnderWay) {
      this.uncommitted.forget(batch);
      this.#settle([group]);
      return;
    }
    this.on.begin?.();
    this.#underWay.push(group);
    this.#committer.commit(batch.writes);
  }

  #committed(batches: number, seconds: number): void {
    const groups = this.#underWay.splice(0, batches);
    for (const { batch } of groups) this.uncommitted.forget(batch);
    this.tally.seconds.record(seconds);
    const outcomes = groups.flatMap((group) => group.outcomes);
    this.tally.changes.record(outcomes.filter((outcome) => "value" in outcome).length);
    this.#settle(groups);
  }

  #settle(groups: readonly Group[]): void {
    for (const { changes, outcomes } of groups) {
      outcomes.forEach((outcome, index) => {
        const waiting = changes[index] as Waiting;
        if ("value" in outcome) waiting.resolve(outcome.value);
        else waiting.reject(outcome.error);
      });
    }
    try {
      for (const { batch } of groups) for (const call of batch.onCommit) call();
      this.on.answered?.();
    } finally {
      this.#next();
    }
  }

  /**
   * Whoever commits is gone, and has not said what became of the changes that were under way: the log tells. Groups are
   * committed in their order. What was not made runs again.
   */
  #lost(error: CommitThreadLost): void {
    let made: number;
    try {
      const count = this.#underWay.reduce((sum, { batch }) => sum + batch.eventIds.length, 0);
      const newest = this.on.newestEvents?.(count) ?? new Set();
      made = 1 + this.#underWay.findLastIndex(({ batch }) => newest.has(batch.eventIds.at(-1) ?? ""));
    } catch {
      this.#failed(error);
      return;
    }
    const groups = this.#underWay.splice(0);
    for (const { batch } of groups) this.uncommitted.forget(batch);
    this.#waiting = [...groups.slice(made).flatMap(({ changes }) => changes), ...this.#waiting];
    this.#settle(groups.slice(0, made));
  }

  /** One bad change must not sink its neighbours. When the store itself is in trouble, each would fail the same way. */
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
