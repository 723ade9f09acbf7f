import { TransactionGaveUp } from "../errors";
import { TransactionAttempt } from "./attempt";
import type { TransactionEngine } from "./engine";
import { refuseInTransaction } from "./inside";
import { KeyLocks } from "./key-locks";
import { ReservedIds } from "./reserved-ids";
import { TimeLimit } from "./time-limit";
import type { Transaction, TransactionContext } from "./transaction";

/** Maximum number of tries before a transaction gives up. */
const mostTries = 8;
/** Number of failed tries after which a transaction keeps its records from others until the end of its commit. */
const patience = 4;
/** Maximum time until the commit, in milliseconds. */
const mostMs = 5000;

type Work<T> = (tx: Transaction) => T | Promise<T>;

/**
 * Runs transactions on an engine of the store. A transaction takes no locks at first. It notes what it reads, which may be
 * uncommitted, and the commit compares that with what is there then. If something has changed, the function runs again. From the
 * second try on, the records that it read are locked against other transactions of this process, so that many transactions on one
 * record follow each other and do not all fail but one.
 *
 * The locks are released before the commit, so that many transactions share one. If that commit is made again, all that had read what it
 * writes fail together, and half of them again with the next. So a transaction that has failed often keeps its locks until it is committed.
 */
export class Transactions {
  readonly #locks = new KeyLocks();

  /** @param limitMs maximum time until the commit. */
  constructor(
    readonly engine: TransactionEngine,
    readonly limitMs = mostMs,
  ) {}

  /** See `Store.transaction`. */
  async run<T>(work: Work<T>, context: TransactionContext = {}): Promise<T> {
    refuseInTransaction("A transaction", "use the outer one, or run them one after the other");
    if (context.once) {
      const earlier = await this.engine.commit({ reads: [], writes: [], cancel: [], context, answerOf: () => undefined });
      if (!earlier.isStale && earlier.text !== undefined) return valueIn(earlier.text);
    }
    const limit = new TimeLimit(this.limitMs, () => new TransactionGaveUp(`The transaction took more than ${this.limitMs / 1000} s.`));
    const ids = new ReservedIds(this.engine);
    const keys = new Set<string>();
    try {
      for (let tries = 0; tries < mostTries; tries += 1) {
        const release = tries === 0 ? undefined : await limit.until(this.#locks.acquire(keys), (late) => late());
        try {
          ids.reuse();
          const releasesEarly = tries < patience;
          const done = await this.#try(work, new TransactionAttempt(this.engine, context, ids), limit, release, releasesEarly);
          if ("value" in done) return done.value;
          for (const key of done.read) keys.add(key);
        } finally {
          release?.();
        }
      }
    } finally {
      limit.clear();
    }
    throw new TransactionGaveUp(`Other changes changed what the transaction had read, ${mostTries} times in a row.`);
  }

  /**
   * Resolves with the value of the transaction, or with what it read if that has changed.
   *
   * @param release releases the locks. Undefined if there are none. Such a try gives way to whoever has locks, who has tried before.
   * @param releasesEarly true to release them before the commit.
   */
  async #try<T>(
    work: Work<T>,
    attempt: TransactionAttempt,
    limit: TimeLimit,
    release: (() => void) | undefined,
    releasesEarly: boolean,
  ): Promise<{ readonly value: T } | { readonly read: Iterable<string> }> {
    const running = attempt.run(work);
    const result = await limit.until(running).catch((error: unknown) => {
      attempt.end(error);
      throw error;
    });
    if (!release && this.#locks.areHeld(attempt.keys)) return { read: attempt.keys };
    const plan = attempt.plan(result, () => {
      // Others see the changes from here on.
      if (releasesEarly) release?.();
      return attempt.context.once && "value" in result ? JSON.stringify({ value: result.value }) : undefined;
    });
    const committed = await this.engine.commit(plan);
    if (committed.isStale) return { read: attempt.keys };
    if (committed.text !== undefined) return { value: valueIn(committed.text) };
    if ("error" in result) throw result.error;
    return result;
  }
}

function valueIn<T>(text: string): T {
  return (JSON.parse(text) as { value: T }).value;
}
