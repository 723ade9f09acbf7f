import { StoreUnavailable } from "../../errors";
import type { Facts } from "../changes/facts";
import { drawBlocks } from "../changes/id-blocks";
import { isSerializationFailure, OutcomeUnknown, PostgresError } from "../connection/errors";
import type { Database, Queries } from "../connection/queries";
import { partitionWidth } from "../schema/log-schema";
import { argumentsOf, type Commit, forgetStale } from "./commit-call";
import type { CommitFunction, CommitResult } from "./commit-function";
import type { Locks } from "./commit-statements";
import { type FetchMeans, fetchMissing } from "./fetch";
import type { RunMeans } from "./group-run";

export interface AttemptMeans extends RunMeans, FetchMeans {
  readonly database: Database;
  readonly commitFunction: CommitFunction;
  /** Creates the commit function if it is missing. */
  readonly keepFunction: () => Promise<void>;
  readonly locks: Locks;
}

/** How long to find out the outcome of a commit, in milliseconds. */
const settleMs = 5000;
const settlePauseMs = 100;

/** Maximum pause between two statements of a transaction that has the commit lock, in milliseconds: all others wait for it. */
export const lockedPauseMs = 2000;

/** Attempts to commit groups of changes, and what has to be done after one that failed. */
export class Attempts {
  constructor(readonly means: AttemptMeans) {}

  /** Commits a group. Resolves with false if something that it has read does not hold, which is read again then. */
  async make(commit: Commit, facts: Facts): Promise<boolean> {
    const { database } = this.means;
    let result: CommitResult;
    try {
      result = await this.call(database.writer, commit);
    } catch (error) {
      if (isSerializationFailure(error)) return false;
      if (await this.mend(error)) return false;
      if (error instanceof OutcomeUnknown) return this.isMade(commit);
      throw error;
    }
    if (Object.values(result).every((found) => found === null)) return true;
    if (commit.reads) forgetStale(facts, commit.reads, result);
    await this.adapt(database, result);
    if (!facts.isComplete) await this.fetch(database, facts);
    return false;
  }

  /** Calls the commit function. */
  async call(queries: Queries, commit: Commit): Promise<CommitResult> {
    const [result] = await queries.query<CommitResult>(this.means.commitFunction.call, ...argumentsOf(commit));
    return result as CommitResult;
  }

  /** Adds what was missing for a commit: a partition of the log, or the commit function. Resolves with false if it was neither. */
  async mend(error: unknown): Promise<boolean> {
    if (isPartitionMissing(error)) await coverPositions(this.means.database);
    else if (error instanceof PostgresError && error.sqlState === undefinedFunction) await this.means.keepFunction();
    else return false;
    return true;
  }

  /** Reads what is missing. */
  async fetch(queries: Queries, facts: Facts): Promise<void> {
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
  async adapt(queries: Queries, { ids, redeclared }: CommitResult): Promise<void> {
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
  async isMade({ id, effect: { events } }: Commit): Promise<boolean> {
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
