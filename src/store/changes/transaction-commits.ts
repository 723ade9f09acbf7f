import type { Resource } from "../../schema/resource";
import type { RelatedEvent } from "../cause";
import { chainOf } from "../chain";
import { RecordNotFound } from "../errors";
import type { Store } from "../store";
import type { Stored } from "../stored";
import { type Committed, type Endings, mostListed, type Plan, type Read, type TransactionEngine, type Write } from "../transaction/engine";
import { matcherOf } from "../transaction/exact";
import { Transactions } from "../transaction/run";
import type { TransactionContext } from "../transaction/transaction";
import type { Commits } from "./commits";
import type { Constraints } from "./constraints";
import type { IdempotencyKeys } from "./idempotency-keys";
import type { RecordChanges } from "./record-changes";
import type { TimerChanges } from "./timer-changes";

interface Means {
  readonly commits: Commits;
  /** Runs a query that reads the newest state. */
  readonly read: <T>(query: () => T) => Promise<T>;
  /** Told what a transaction has read, before the change compares it with the current state. Default: does nothing. */
  readonly expect?: (read: Read) => void;
  /** Returns whether the running change lacks something that it has read, so that it is made again. Default: never. */
  readonly isProvisional?: () => boolean;
  readonly records: RecordChanges;
  readonly keys: IdempotencyKeys;
  readonly constraints: Constraints;
  readonly timers: TimerChanges;
  readonly find: Store["find"];
  /** Commits plans in transactions of consumers. Default: the engine cannot. */
  readonly endings?: (changeOf: (plan: Plan) => () => Committed) => Endings;
}

/** Returns the transactions of a store. */
export function transactionsIn(means: Means): Pick<Store, "transaction" | "changing"> {
  const changing = new TransactionCommits(means);
  const transactions = new Transactions(changing);
  return { transaction: (work, context) => transactions.run(work, context), changing };
}

/** Thrown to undo changes that could be committed. */
const accepted = new Error("Could be committed");

/** Commits transactions: each is one change, which compares what was read and applies what is to be written. */
class TransactionCommits implements TransactionEngine {
  readonly endings: Endings | undefined;

  constructor(readonly means: Means) {
    this.endings = means.endings?.((plan) => this.#changeOf(plan));
  }

  async newest(resource: Resource, id: number): Promise<Stored | undefined> {
    const records = this.means.records.of(resource);
    return this.means.read(() => records.get(id));
  }

  async newestByKey(resource: Resource, name: string, values: object): Promise<number | undefined> {
    return this.means.read(() => this.means.constraints.currentByKey(resource, name, values));
  }

  async newestList(resource: Resource, where: object): Promise<readonly Stored[] | undefined> {
    return this.means.read(() => this.#list(resource, where));
  }

  async reserveId(resource: Resource): Promise<number> {
    const { stored } = this.means.records.of(resource);
    return this.means.read(() => stored.reserveId());
  }

  commit(plan: Plan): Promise<Committed> {
    const { promise, resolve, reject } = Promise.withResolvers<Committed>();
    const change = this.#changeOf(plan);
    let stale: Committed | undefined;
    const run = () => {
      // The change may run again, if its group fails. By then another try may be under way.
      if (stale) return stale;
      const committed = change();
      if (!committed.isStale) return committed;
      // At once, not when the group is on disk.
      resolve(committed);
      stale = committed;
      return stale;
    };
    const isExact = plan.reads.some(({ kind }) => kind === "list");
    this.means.commits.runFirst(run, { isExact }).then(resolve, reject);
    return promise;
  }

  /** Returns the change that a plan makes, if what it has read still holds. */
  #changeOf({ reads, writes, cancel, context, answerOf }: Plan): () => Committed {
    const { once, ...about } = context;
    return () => {
      let [isStale, isMade] = [false, false];
      const make = (): string | undefined => {
        isMade = true;
        for (const read of reads) this.means.expect?.(read);
        // Reads all, so that an engine that has to fetch them learns of all at once.
        const isCurrent = reads.map((read) => this.#holds(read)).every(Boolean);
        isStale = !isCurrent && !this.means.isProvisional?.();
        if (isStale) return undefined;
        for (const key of cancel) this.means.timers.cancel(key);
        return answerOf(this.means.records.together(() => writes.map((write) => this.#apply(write, about))));
      };
      const text = once ? this.means.keys.answer(once, make) : make();
      return isStale ? { isStale } : { isStale: false, text, isEarlier: !isMade };
    };
  }

  async check({ writes, context }: Plan): Promise<void> {
    const { once, ...about } = context;
    const { overlay } = this.means.records.means;
    await this.means.commits.runFirst(() => {
      try {
        overlay.attempt(() => {
          this.means.records.together(() => writes.map((write) => this.#apply(write, about)));
          throw accepted;
        });
      } catch (error) {
        if (error !== accepted) throw error;
      }
    });
  }

  chain(id: string): Promise<readonly RelatedEvent[]> {
    return chainOf(this.means.find, id);
  }

  #holds(read: Read): boolean {
    const { resource, found } = read;
    if (read.kind === "key") return this.means.constraints.currentByKey(resource, read.name, read.values) === found;
    if (read.kind === "list")
      return Bun.deepEquals(
        this.#list(resource, read.where)?.map(({ id }) => id),
        found,
      );
    // Not the version: a change that was not committed may have had the same one.
    return this.means.records.of(resource).get(read.id)?.json === read.found?.json;
  }

  #list(resource: Resource, where: object): Stored[] | undefined {
    return this.means.records.of(resource).matching(where, mostListed, matcherOf(where));
  }

  #apply({ kind, resource, state, emit, later, cancel, actor }: Write, about: TransactionContext): Stored {
    const { records } = this.means;
    const context = { ...about, emit, later, cancel, actor };
    const fields = JSON.parse(state.json) as object;
    if (kind === "insert") return records.insert(resource, fields, context, state.id);
    const written =
      kind === "update" ? records.update(resource, state.id, () => fields, context) : records.remove(resource, state.id, context);
    if (!written) throw new RecordNotFound(resource.name, state.id);
    return written;
  }
}
