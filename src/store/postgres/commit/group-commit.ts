import { Distribution, workSeconds } from "../../../observe/tally";
import type { Commits, RunOptions } from "../../changes/commits";
import { StoreUnavailable } from "../../errors";
import type { CommitTally } from "../../store";
import type { Committed, Committing } from "./committing";
import type { Outcome } from "./group-run";

interface Waiting {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly isExact: boolean;
  /** True if the group of the change has failed, perhaps because of another one. */
  isAlone: boolean;
}

/** A group of changes whose commit has ended. */
type Group = { readonly changes: readonly Waiting[] } & ({ readonly result: Committed } | { readonly error: unknown });

/** Maximum number of changes per group. It bounds how long one commit blocks the event loop. */
const maxGroup = 1024;
const groupSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, maxGroup];

/**
 * Runs changes in shared commits. All changes that arrive during a commit go into the next one, and run meanwhile as far as they can. A
 * promise settles when its change, all before it, and everything that it read are committed or have failed.
 */
export class GroupCommit implements Commits {
  readonly tally: CommitTally = { seconds: new Distribution(workSeconds), changes: new Distribution(groupSizes), failures: 0 };
  #waiting: Waiting[] = [];
  /** The next group, if it was sent before its turn. */
  #early: Waiting[] = [];
  #working: Promise<void> | undefined;
  #isClosed = false;
  #isAheadScheduled = false;

  /** @param afterAnswers called after the promises of committed changes are settled. */
  constructor(
    readonly committing: Committing,
    readonly afterAnswers: () => void = () => {},
  ) {}

  run<T>(change: () => T, options?: RunOptions): Promise<T> {
    return this.#add(change, options, (waiting) => this.#waiting.push(waiting));
  }

  runFirst<T>(change: () => T, options?: RunOptions): Promise<T> {
    return this.#add(change, options, (waiting) => this.#waiting.splice(this.committing.ahead, 0, waiting));
  }

  #add<T>(change: () => T, { isExact = false }: RunOptions = {}, queue: (waiting: Waiting) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("The store is closed."));
    return new Promise<T>((resolve, reject) => {
      queue({ run: change, resolve: resolve as (value: unknown) => void, reject, isExact, isAlone: false });
      this.#working ??= this.#work();
      this.#scheduleAhead();
    });
  }

  /** Runs the changes that wait when all of this turn have arrived. */
  #scheduleAhead(): void {
    if (this.#isAheadScheduled) return;
    this.#isAheadScheduled = true;
    setImmediate(() => {
      this.#isAheadScheduled = false;
      const sent = this.committing.runAhead(this.#waiting.slice(0, this.#nextSize).map(({ run }) => run));
      if (sent > 0) this.#early = this.#waiting.splice(0, sent);
    });
  }

  /** Commits all pending changes. Later ones are refused. */
  async close(): Promise<void> {
    do {
      await this.#working;
      // Callers whose promises have settled may make another change.
      await new Promise(setImmediate);
    } while (this.#working);
    this.#isClosed = true;
  }

  async #work(): Promise<void> {
    // Changes of the same turn go into one group.
    await new Promise(setImmediate);
    for (let group = this.#start(); group; ) {
      const settle = this.#finish(await group);
      // The database works on the next group while the answers to this one are sent.
      group = this.#start();
      settle();
      if (group) continue;
      await new Promise(setImmediate);
      group = this.#start();
    }
    this.#working = undefined;
  }

  /** Runs the next group of changes, and begins to commit it. Returns undefined if there is none. */
  #start(): Promise<Group> | undefined {
    const changes = this.#early.length > 0 ? this.#early : this.#take();
    this.#early = [];
    if (changes.length === 0) return undefined;
    if (this.#waiting.length > 0) this.#scheduleAhead();
    const committed = this.committing.commit(
      changes.map(({ run }) => run),
      changes[0]?.isExact ?? false,
    );
    return committed.then(
      (result) => ({ changes, result }),
      (error: unknown) => ({ changes, error }),
    );
  }

  /** Removes the changes of the next group. One that reads exactly, or has to run alone, makes a group by itself. */
  #take(): Waiting[] {
    return this.#waiting.splice(0, this.#nextSize || 1);
  }

  /** Number of changes of the next group that run together. 0: the first one has to run alone. */
  get #nextSize(): number {
    const end = this.#waiting.findIndex(({ isExact, isAlone }) => isExact || isAlone);
    return end === -1 ? Math.min(maxGroup, this.#waiting.length) : Math.min(maxGroup, end);
  }

  /** Takes note of the end of a group, so that the next one can run. Returns a function that settles its promises. */
  #finish({ changes, ...end }: Group): () => void {
    if ("error" in end) return this.#failed(changes, end.error);
    const { run, seconds } = end.result;
    const { outcomes } = run;
    // Those that the group has left out.
    this.#waiting.unshift(...changes.slice(outcomes.length));
    if (seconds !== undefined) {
      this.tally.seconds.record(seconds);
      this.tally.changes.record(outcomes.filter((outcome) => "value" in outcome).length);
    }
    return () => {
      settle(changes, outcomes);
      this.afterAnswers();
    };
  }

  /** Runs the changes of a failed group again, each alone, if one of them may be at fault. Otherwise, rejects them all. */
  #failed(changes: readonly Waiting[], error: unknown): () => void {
    const isUnavailable = error instanceof StoreUnavailable;
    if (isUnavailable) this.tally.failures += 1;
    if (changes.length === 1 || isUnavailable) {
      return () => {
        for (const { reject } of changes) reject(error);
      };
    }
    for (const change of changes) change.isAlone = true;
    this.#waiting.unshift(...changes);
    return () => {};
  }
}

function settle(changes: readonly Waiting[], outcomes: readonly Outcome[]): void {
  for (const [index, outcome] of outcomes.entries()) {
    const change = changes[index] as Waiting;
    if ("value" in outcome) change.resolve(outcome.value);
    else change.reject(outcome.error);
  }
}
