import { Distribution, workSeconds } from "../../observe/tally";
import type { Commits, RunOptions } from "../changes/commits";
import { StoreUnavailable } from "../errors";
import type { CommitTally } from "../store";
import type { Committing } from "./committing";
import { isDataError } from "./errors";
import type { Outcome } from "./group-run";
import type { Workspace } from "./workspace";

interface Waiting {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly isExact: boolean;
  /** True if the group of the change has failed, perhaps because of another one. */
  isAlone: boolean;
}

/** Maximum number of changes per group. It bounds how long one commit blocks the event loop. */
const maxGroup = 1024;
const groupSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, maxGroup];

/**
 * Runs changes in shared commits, one at a time. All changes that arrive during a commit go into the next one. A promise settles when
 * its change, and everything that it read, is committed.
 */
export class GroupCommit implements Commits {
  readonly tally: CommitTally = { seconds: new Distribution(workSeconds), changes: new Distribution(groupSizes), failures: 0 };
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #isClosed = false;

  /** @param afterAnswers called after the promises of committed changes are settled. */
  constructor(
    readonly workspace: Workspace,
    readonly committing: Committing,
    readonly afterAnswers: () => void = () => {},
  ) {}

  run<T>(change: () => T, options?: RunOptions): Promise<T> {
    return this.#add(change, options, (waiting) => this.#waiting.push(waiting));
  }

  runFirst<T>(change: () => T, options?: RunOptions): Promise<T> {
    return this.#add(change, options, (waiting) => this.#waiting.unshift(waiting));
  }

  #add<T>(change: () => T, { isExact = false }: RunOptions = {}, queue: (waiting: Waiting) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("The store is closed."));
    return new Promise<T>((resolve, reject) => {
      queue({ run: change, resolve: resolve as (value: unknown) => void, reject, isExact, isAlone: false });
      this.#working ??= this.#work();
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
    for (await new Promise(setImmediate); this.#waiting.length > 0; await new Promise(setImmediate)) await this.#commit(this.#take());
    this.#working = undefined;
  }

  /** Removes the changes of the next group. One that reads exactly, or has to run alone, makes a group by itself. */
  #take(): Waiting[] {
    const isSingle = ({ isExact, isAlone }: Waiting) => isExact || isAlone;
    const end = this.#waiting.findIndex(isSingle);
    return this.#waiting.splice(0, end === 0 ? 1 : Math.min(maxGroup, end === -1 ? maxGroup : end));
  }

  async #commit(changes: readonly Waiting[]): Promise<void> {
    try {
      const { run, seconds } = await this.committing.commit(
        changes.map((change) => change.run),
        changes[0]?.isExact ?? false,
      );
      const { batch, outcomes, commit } = run;
      this.workspace.overlay.forget(batch);
      this.#waiting.unshift(...changes.slice(outcomes.length));
      if (commit) this.committing.useIds(commit);
      if (seconds !== undefined) {
        this.tally.seconds.record(seconds);
        this.tally.changes.record(outcomes.filter((outcome) => "value" in outcome).length);
      }
      settle(changes, outcomes);
      for (const call of batch.onCommit) call();
      this.afterAnswers();
    } catch (error) {
      this.#failed(changes, error);
    }
  }

  /** Runs the changes of a failed group again, each alone, if one of them may be at fault. Otherwise, rejects them all. */
  #failed(changes: readonly Waiting[], error: unknown): void {
    if (error instanceof StoreUnavailable) this.tally.failures += 1;
    if (changes.length > 1 && isDataError(error)) {
      for (const change of changes) change.isAlone = true;
      this.#waiting.unshift(...changes);
    } else for (const { reject } of changes) reject(error);
  }
}

function settle(changes: readonly Waiting[], outcomes: readonly Outcome[]): void {
  for (const [index, outcome] of outcomes.entries()) {
    const change = changes[index] as Waiting;
    if ("value" in outcome) change.resolve(outcome.value);
    else change.reject(outcome.error);
  }
}
