import type { Database, Statement } from "bun:sqlite";
import { Distribution, workSeconds } from "../observe/tally";
import { StoreUnavailable } from "./store";

/** Thrown inside a change before it has written anything: it fails alone, and its neighbours in the group commit. */
export class Refused extends Error {}

/** Runs what may fail a change alone. */
export function refusable<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw new Refused("refused", { cause: error });
  }
}

interface Waiting {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/** Bounds how long one commit holds up the event loop. */
const maxGroup = 1024;
const groupSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, maxGroup];

/** What was committed since the start. */
export interface CommitTally {
  readonly seconds: Distribution;
  readonly changes: Distribution;
  /** Commits that the store could not make. */
  failures: number;
}

/**
 * Runs changes in transactions that they share: all that arrive while a commit is under way go into the next one,
 * so that one fsync serves them all.
 */
export class GroupCommit {
  readonly tally: CommitTally = { seconds: new Distribution(workSeconds), changes: new Distribution(groupSizes), failures: 0 };
  readonly #begin: Statement;
  readonly #end: Statement;
  #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(
    readonly db: Database,
    readonly on: {
      /** Before a transaction begins. */
      readonly begin?: () => void;
      readonly committed: () => void;
      readonly rolledBack?: () => void;
    },
  ) {
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
  }

  /** Fulfils after the commit. `change` may run twice, but only one run is ever committed. */
  run<T>(change: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run: change, resolve: resolve as (value: unknown) => void, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Commits everything that waits. */
  flush(): void {
    this.#scheduled = false;
    while (this.#waiting.length > 0) this.#commit(this.#waiting.splice(0, maxGroup));
  }

  #commit(group: readonly Waiting[]): void {
    const startedAt = performance.now();
    let outcomes: Outcome[];
    try {
      outcomes = this.#transaction(group);
    } catch (error) {
      this.on.rolledBack?.();
      if (error instanceof StoreUnavailable) this.tally.failures += 1;
      // One bad change must not sink its neighbours. When the store itself is in trouble, each would fail the same way.
      if (group.length > 1 && !(error instanceof StoreUnavailable)) {
        for (const waiting of group) this.#commit([waiting]);
      } else {
        for (const waiting of group) waiting.reject(error);
      }
      return;
    }
    this.tally.seconds.record((performance.now() - startedAt) / 1000);
    this.tally.changes.record(group.length);
    outcomes.forEach((outcome, index) => {
      const waiting = group[index] as Waiting;
      if ("value" in outcome) waiting.resolve(outcome.value);
      else waiting.reject(outcome.error);
    });
    this.on.committed();
  }

  #transaction(group: readonly Waiting[]): Outcome[] {
    try {
      this.on.begin?.();
      this.#begin.run();
      const outcomes = group.map(outcomeOf);
      this.#end.run();
      return outcomes;
    } catch (error) {
      if (this.db.inTransaction) this.db.run("ROLLBACK");
      throw unavailable(error);
    }
  }
}

function outcomeOf(waiting: Waiting): Outcome {
  try {
    return { value: waiting.run() };
  } catch (error) {
    if (error instanceof Refused) return { error: error.cause };
    throw error;
  }
}

/** Trouble that is the store's and not one change's, by the primary result codes of SQLite. */
const troubles = /^SQLITE_(BUSY|LOCKED|NOMEM|READONLY|IOERR|CORRUPT|FULL|CANTOPEN|NOTADB)/;

export function unavailable(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return troubles.test(code) ? new StoreUnavailable(`${code}: ${(error as Error).message}`, { cause: error }) : error;
}
