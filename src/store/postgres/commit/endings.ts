import { type Committed, type Ending, type Endings, NotCommitted, type Plan, type PlanOutcome } from "../../transaction/engine";
import { Facts } from "../changes/facts";
import { PostgresError } from "../connection/errors";
import type { Queries, TransactionQueries } from "../connection/queries";
import { defaultLimits } from "../connection/settings";
import { type AttemptMeans, Attempts, lockedPauseMs } from "./attempts";
import { argumentsOf, forgetStale } from "./commit-call";
import { type CommitResult, notHolding } from "./commit-function";
import { confirm, type GroupRun, RunningGroup } from "./group-run";

interface EndingMeans extends AttemptMeans {
  /** Identifies the database among all. */
  readonly place: string;
  /** Name of the PostgreSQL schema of the records. */
  readonly schema: string;
  /** Called after commits. */
  readonly onCommit: () => void;
}

type Change = () => Committed;

/** Limits of the last statement, which waits for other commits, in milliseconds. Those of the transaction are about its handlers. */
const [lockMs, statementMs] = [defaultLimits.lockMs, defaultLimits.lockMs + 1000];
const setUp = `SELECT set_config('search_path', $1, true), set_config('synchronous_commit', 'on', true),
  set_config('idle_in_transaction_session_timeout', $2, true), set_config('lock_timeout', $3, true), set_config('statement_timeout', $4, true)`;

/** Returns what ends transactions of consumers in the database of the records. */
export function endingsIn(means: EndingMeans, changeOf: (plan: Plan) => Change): Endings {
  return {
    place: means.place,
    async prepare(plans) {
      const ending = new PostgresEnding(means, plans.map(changeOf));
      // A list can only be checked while nothing else is committed.
      if (!plans.some(({ reads }) => reads.some(({ kind }) => kind === "list"))) await ending.prepare();
      return ending;
    },
  };
}

/** The commit of plans as the last statement of a transaction, which takes the order lock and has it until the COMMIT that follows. */
export class PostgresEnding implements Ending {
  readonly place: string;
  readonly #attempts: Attempts;
  #facts = new Facts(false);
  #run: GroupRun | undefined;

  constructor(
    readonly means: EndingMeans,
    readonly changes: readonly Change[],
  ) {
    this.place = means.place;
    this.#attempts = new Attempts(means);
  }

  /** @throws {NotCommitted} if one of the changes cannot be committed. */
  async prepare(): Promise<void> {
    this.#run = await this.#made(this.means.database);
  }

  /** Sends the last statement of a transaction. All others have been answered. */
  async send(queries: TransactionQueries): Promise<void> {
    const { schema, locks, commitFunction } = this.means;
    await Promise.all([
      queries.query(setUp, `"${schema}"`, ...[lockedPauseMs, lockMs, statementMs].map(String)),
      // The COMMIT has the order lock, so nothing else is left to it.
      queries.query("SET CONSTRAINTS ALL IMMEDIATE"),
    ]);
    if (!this.#run) {
      await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", locks.commit);
      this.#facts = new Facts(true);
      this.#run = await this.#made(queries);
    }
    const { commit } = this.#run;
    if (commit) queries.last(commitFunction.call, ...argumentsOf(commit, true));
  }

  /** Takes note that the transaction was committed. */
  confirm(): void {
    if (this.#run) confirm(this.#run, this.means.tables);
    this.means.onCommit();
  }

  /** Resolves with what the error of the transaction means: {@link NotCommitted} if the plans are its cause, or the same error. */
  async explained(error: unknown): Promise<unknown> {
    if (error instanceof PostgresError && error.sqlState === notHolding) {
      await this.#learn(JSON.parse((error.cause as Error).message) as CommitResult);
      return this.#made(this.means.database).then(
        (run) => new NotCommitted(outcomesOf(run)),
        (reason: unknown) => reason,
      );
    }
    return (await this.#attempts.mend(error)) ? new NotCommitted([]) : error;
  }

  /** Reads what has changed. */
  async #learn(result: CommitResult): Promise<void> {
    const { database } = this.means;
    const reads = this.#run?.commit?.reads;
    await this.#attempts.adapt(database, result);
    if (!reads) this.#facts = new Facts(false);
    else {
      forgetStale(this.#facts, reads, result);
      if (!this.#facts.isComplete) await this.#attempts.fetch(database, this.#facts);
    }
  }

  /** Runs the changes as if nothing else were under way. */
  async #made(queries: Queries): Promise<GroupRun> {
    const facts = this.#facts;
    for (;;) {
      const run = this.means.workspace.overlay.apart(() => {
        const group = new RunningGroup(this.means, facts);
        group.add(this.changes);
        const run = group.end();
        if (run) group.forget();
        return run;
      });
      if (!run) await this.#attempts.fetch(queries, facts);
      else if (run.outcomes.length === this.changes.length && outcomesOf(run).every(isGood)) return run;
      else throw new NotCommitted(outcomesOf(run));
    }
  }
}

function outcomesOf({ outcomes }: GroupRun): PlanOutcome[] {
  return outcomes.map((outcome) => ("error" in outcome ? outcome : (outcome.value as Committed)));
}

function isGood(outcome: PlanOutcome): boolean {
  return !("error" in outcome) && !outcome.isStale && !outcome.isEarlier;
}
