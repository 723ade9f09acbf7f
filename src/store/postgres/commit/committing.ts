import { StoreUnavailable } from "../../errors";
import { Facts } from "../changes/facts";
import { drawBlocks } from "../changes/id-blocks";
import { isSerializationFailure, OutcomeUnknown, PostgresError } from "../connection/errors";
import type { Database, Queries } from "../connection/queries";
import { partitionWidth } from "../schema/log-schema";
import { argumentsOf, type Commit, forgetStale } from "./commit-call";
import type { CommitFunction, CommitResult } from "./commit-function";
import type { Locks } from "./commit-statements";
import { type FetchMeans, fetchMissing } from "./fetch";
import { type GroupRun, isKnown, outcomeOf, type RunMeans, RunningGroup } from "./group-run";
import { NextGroup } from "./next-group";

export interface CommittingMeans extends RunMeans, FetchMeans {
  readonly database: Database;
  readonly commitFunction: CommitFunction;
  /** Creates the commit function if it is missing. */
  readonly keepFunction: () => Promise<void>;
  readonly locks: Locks;
}

/** Number of runs without the commit lock before a group takes it. */
const mostMisses = 3;
/** Number of tries with the lock if the connection is lost or the log has no room. */
const mostTries = 3;
/** Maximum pause between two statements of a transaction that has the commit lock, in milliseconds: all others wait for it. */
const lockedPauseMs = 2000;
/** How long to find out the outcome of a commit, in milliseconds. */
const settleMs = 5000;
const settlePauseMs = 100;

/** A run of a group whose outcome is known. */
export interface Committed {
  readonly run: GroupRun;
  /** Duration of the commit. Undefined if there was nothing to commit. */
  readonly seconds: number | undefined;
}

/** Commits groups of changes. */
export class Committing {
  readonly #next: NextGroup;
  /** True while the database has a group and its answer is not known. */
  #isSent = false;

  constructor(readonly means: CommittingMeans) {
    this.#next = new NextGroup(means);
  }

  /** Number of changes of the next group that have run. */
  get ahead(): number {
    return this.#next.size;
  }

  /** Runs changes that wait, in order, if a group is with the database. It is the next group that then begins with them. */
  runAhead(changes: readonly (() => unknown)[]): void {
    if (this.#isSent) this.#next.runAhead(changes);
  }

  /**
   * Runs changes until all that they have read holds at the commit. The changes that it leaves out, because the others write a lot, are
   * the last ones. The caller forgets the batch of the run.
   *
   * @param isExact whether to take the commit lock before anything is read.
   */
  async commit(changes: readonly (() => unknown)[], isExact: boolean): Promise<Committed> {
    let group = isExact ? undefined : this.#next.take(changes);
    const facts = group?.facts ?? new Facts(false);
    for (let misses = isExact ? mostMisses : 0; misses < mostMisses; group = undefined) {
      const run = group ? group.end() : this.#run(facts, changes);
      if (!run) await this.#fetch(this.means.database, facts);
      else if (!run.commit) return { run, seconds: undefined };
      else {
        const start = performance.now();
        const isMade = await this.#keeping(run, () => this.#try(run.commit as Commit, facts));
        if (isMade) return { run, seconds: (performance.now() - start) / 1000 };
        misses += 1;
      }
    }
    for (let tries = 1; ; tries += 1) {
      const committed = await this.#commitLocked(changes, tries < mostTries);
      if (committed) return committed;
    }
  }

  /** Takes the ids of new records out of those to use. */
  useIds({ effect: { created } }: Commit): void {
    for (const [name, own] of Map.groupBy(created, ({ layout }) => layout.resource.name))
      this.means.tables.get(name)?.ids.use(own.map(({ id }) => id));
  }

  /** Runs a query that reads the newest state, with what uncommitted changes do to it. */
  async read<T>(query: () => T): Promise<T> {
    for (const facts = new Facts(true); ; await this.#fetch(this.means.database, facts)) {
      facts.begin();
      const outcome = this.means.workspace.with(facts, () => outcomeOf(query));
      if (!isKnown(this.means, facts)) continue;
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    }
  }

  #run(facts: Facts, changes: readonly (() => unknown)[]): GroupRun | undefined {
    // It comes after these changes, and must see them.
    this.#next.forget();
    const group = new RunningGroup(this.means, facts);
    group.add(changes);
    return group.end();
  }

  /** Runs the work of a commit. Forgets the batch unless it was committed. */
  async #keeping(run: GroupRun, work: () => Promise<boolean>): Promise<boolean> {
    let isMade = false;
    try {
      isMade = await work();
      return isMade;
    } finally {
      if (!isMade) this.means.workspace.overlay.forget(run.batch);
    }
  }

  /** Resolves with false if something that was read does not hold. It is read again then. */
  async #try(commit: Commit, facts: Facts): Promise<boolean> {
    const { database } = this.means;
    let result: CommitResult;
    try {
      this.#isSent = true;
      this.#next.begin();
      result = await this.#call(database.writer, commit).finally(() => {
        this.#isSent = false;
      });
    } catch (error) {
      if (isSerializationFailure(error)) return false;
      if (await this.#mend(error)) return false;
      if (error instanceof OutcomeUnknown) return this.#settle(commit);
      throw error;
    }
    if (Object.values(result).every((found) => found === null)) return true;
    if (commit.reads) forgetStale(facts, commit.reads, result);
    await this.#adapt(database, result);
    if (!facts.isComplete) await this.#fetch(database, facts);
    return false;
  }

  async #call(queries: Queries, commit: Commit): Promise<CommitResult> {
    const [result] = await queries.query<CommitResult>(this.means.commitFunction.call, ...argumentsOf(commit));
    return result as CommitResult;
  }

  /**
   * Takes the commit lock, so that nothing else is committed from the first read to the commit.
   *
   * @param mayFail whether to resolve with undefined if the connection was lost before the commit, or the log had no room.
   */
  async #commitLocked(changes: readonly (() => unknown)[], mayFail: boolean): Promise<Committed | undefined> {
    const { database, locks, workspace } = this.means;
    const start = performance.now();
    let run: GroupRun | undefined;
    try {
      await database.transaction(async (queries) => {
        await queries.query("SELECT set_config('idle_in_transaction_session_timeout', $1, true)", String(lockedPauseMs));
        await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", locks.commit);
        const facts = new Facts(true);
        for (;;) {
          run = this.#run(facts, changes);
          if (run && !run.commit) return;
          if (run?.commit) {
            const result = await this.#call(queries, run.commit);
            if (Object.values(result).every((found) => found === null)) return;
            workspace.overlay.forget(run.batch);
            run = undefined;
            await this.#adapt(queries, result);
          } else await this.#fetch(queries, facts);
        }
      });
    } catch (error) {
      const commit = run?.commit;
      const isMade = commit !== undefined && error instanceof OutcomeUnknown && (await this.#settle(commit));
      if (!isMade) {
        if (run) workspace.overlay.forget(run.batch);
        const isMended = await this.#mend(error);
        if (commit && mayFail && (isMended || error instanceof OutcomeUnknown)) return undefined;
        throw error;
      }
    }
    return { run: run as GroupRun, seconds: (performance.now() - start) / 1000 };
  }

  /** Adds what was missing for a commit: a partition of the log, or the commit function. Resolves with false if it was neither. */
  async #mend(error: unknown): Promise<boolean> {
    if (isPartitionMissing(error)) await coverPositions(this.means.database);
    else if (error instanceof PostgresError && error.sqlState === undefinedFunction) await this.means.keepFunction();
    else return false;
    return true;
  }

  async #fetch(queries: Queries, facts: Facts): Promise<void> {
    const { locks, tables } = this.means;
    const wanting = [...tables.values()].filter(({ ids }) => ids.wanted > 0);
    await Promise.all([
      fetchMissing(queries, facts, this.means),
      ...wanting.map(async ({ ids, resource: { plural } }) => {
        ids.add(await drawBlocks(queries, plural, ids.wanted, locks.ids));
      }),
    ]);
  }

  /** Reads the slots again if there are others, and drops ids that imported records may have had. */
  async #adapt(queries: Queries, { ids, redeclared }: CommitResult): Promise<void> {
    if (redeclared) await this.means.slots.reload(queries);
    if (!ids) return;
    const tables = [...this.means.tables.values()].filter(({ layout }) => ids.includes(layout.number));
    const names = tables.map(({ resource }) => resource.name);
    const floors = await queries.query<{ name: string; floor: number }>(
      "SELECT name, floor FROM warren_resources WHERE name = ANY ($1)",
      names,
    );
    for (const { name, floor } of floors) this.means.tables.get(name)?.ids.raise(floor);
  }

  /**
   * Finds out whether a commit was made whose answer got lost. If not, it never will be.
   *
   * @throws {StoreUnavailable} if the database cannot be asked in time. The outcome stays unknown then.
   */
  async #settle({ id, effect: { events } }: Commit): Promise<boolean> {
    const ask = "SELECT warren_give_up($1::bigint, $2::uuid, $3::uuid) AS made";
    for (const end = performance.now() + settleMs; ; await Bun.sleep(settlePauseMs)) {
      try {
        const [row] = await this.means.database.query<{ made: boolean }>(ask, this.means.locks.commit, id, events.at(-1)?.id ?? null);
        return row?.made === true;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() >= end) throw error;
      }
    }
  }
}

/** Other processes drop the function of one that was suspended for a day. */
const undefinedFunction = "42883";

/** Returns whether no partition of the log has the next position. */
function isPartitionMissing(error: unknown): boolean {
  return error instanceof PostgresError && error.sqlState === "23514" && error.message.includes("no partition of relation");
}

async function coverPositions({ query }: Database): Promise<void> {
  await query("SELECT warren_cover_position(s.last_value + $1::int8, $1::int8) FROM warren_events_position s", partitionWidth);
}
