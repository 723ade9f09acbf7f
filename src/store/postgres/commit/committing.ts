import { Facts } from "../changes/facts";
import { OutcomeUnknown } from "../connection/errors";
import { type AttemptMeans, Attempts, lockedPauseMs } from "./attempts";
import { confirm, type GroupRun, isKnown, outcomeOf, RunningGroup } from "./group-run";
import { NextGroup } from "./next-group";

/** Number of runs without the commit lock before a group takes it. */
const mostMisses = 3;
/** Number of tries with the lock if the connection is lost or the log has no room. */
const mostTries = 3;

/** A run of a group whose outcome is known. */
export interface Committed {
  readonly run: GroupRun;
  /** Duration of the commit. Undefined if there was nothing to commit. */
  readonly seconds: number | undefined;
}

/** A group whose commit is under way. */
interface Sent {
  readonly run: GroupRun;
  readonly facts: Facts;
  /** Resolves with undefined if something that the group has read does not hold. */
  readonly made: Promise<Committed | undefined>;
}

/** Commits groups of changes. The next one is sent before its turn if it is large and does not depend on the one that is under way. */
export class Committing {
  readonly #attempts: Attempts;
  readonly #next: NextGroup;
  /** The group that was sent before its turn. */
  #early: Sent | undefined;
  #isUnderWay = false;
  /** Average number of changes of the last groups. */
  #usualSize = 1;

  constructor(readonly means: AttemptMeans) {
    this.#attempts = new Attempts(means);
    this.#next = new NextGroup(means);
  }

  /** Number of waiting changes that have run. */
  get ahead(): number {
    return this.#next.size;
  }

  /**
   * Runs changes that wait, in order, while a group is under way. Commits them if that is worth a group. Returns the number of those
   * that it commits: the next group has these.
   */
  runAhead(changes: readonly (() => unknown)[]): number {
    if (!this.#isUnderWay) return 0;
    this.#next.runAhead(changes);
    if (this.#early) return 0;
    const group = this.#next.takeComplete(this.#usualSize);
    this.#early = group && this.#send(group);
    // Whoever commits it next sees the error.
    this.#early?.made.catch(() => {});
    return this.#early?.run.outcomes.length ?? 0;
  }

  /**
   * Runs changes until all that they have read holds at the commit. The changes that it leaves out, because the others write a lot, are
   * the last ones. If {@link runAhead} has sent a group, its changes come next.
   *
   * @param isExact whether to take the commit lock before anything is read.
   */
  async commit(changes: readonly (() => unknown)[], isExact: boolean): Promise<Committed> {
    const committed = isExact ? undefined : await this.#commitUnlocked(changes);
    if (committed) return committed;
    for (let tries = 1; ; tries += 1) {
      const locked = await this.#commitLocked(changes, tries < mostTries);
      if (locked) return locked;
    }
  }

  /** Resolves with undefined after some runs that read what no longer held. */
  async #commitUnlocked(changes: readonly (() => unknown)[]): Promise<Committed | undefined> {
    let sent = this.#early;
    this.#early = undefined;
    const group = sent ? undefined : this.#next.take(changes);
    const facts = sent?.facts ?? group?.facts ?? new Facts(false);
    sent ??= this.#send(group ?? this.#run(facts, changes));
    for (let misses = 0; ; sent = this.#send(this.#run(facts, changes))) {
      const committed = sent && (await this.#answer(sent));
      if (committed) return committed;
      if (sent) misses += 1;
      else await this.#attempts.fetch(this.means.database, facts);
      // The changes must see what it does. It could not get the lock, either.
      await this.#earlyEnds();
      if (misses === mostMisses) return undefined;
    }
  }

  /** Runs a query that reads the newest state, with what uncommitted changes do to it. */
  async read<T>(query: () => T): Promise<T> {
    for (const facts = new Facts(true); ; await this.#attempts.fetch(this.means.database, facts)) {
      facts.begin();
      const outcome = this.means.workspace.with(facts, () => outcomeOf(query));
      if (!isKnown(this.means, facts)) continue;
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    }
  }

  #run(facts: Facts, changes: readonly (() => unknown)[]): RunningGroup {
    // It comes after these changes, and must see them.
    this.#next.forget();
    const group = new RunningGroup(this.means, facts);
    group.add(changes);
    return group;
  }

  /** Begins to commit a group. Returns undefined if something that its changes read is missing. */
  #send(group: RunningGroup): Sent | undefined {
    const run = group.end();
    return run && { run, facts: group.facts, made: this.#make(run, group.facts) };
  }

  async #make(run: GroupRun, facts: Facts): Promise<Committed | undefined> {
    const { commit, outcomes } = run;
    if (!commit) {
      this.#keep(run);
      return { run, seconds: undefined };
    }
    const start = performance.now();
    this.#usualSize += (outcomes.length - this.#usualSize) / 8;
    let isMade = false;
    try {
      isMade = await this.#attempts.make(commit, facts);
    } finally {
      if (isMade) this.#keep(run);
      else this.means.workspace.overlay.forget(run.batch);
    }
    return isMade ? { run, seconds: (performance.now() - start) / 1000 } : undefined;
  }

  /** Takes note of a commit, so that later changes find its writes in the database. */
  #keep(run: GroupRun): void {
    this.means.workspace.overlay.forget(run.batch);
    confirm(run, this.means.tables);
  }

  /** Resolves when nothing is under way that was sent before its turn. */
  async #earlyEnds(): Promise<void> {
    await this.#early?.made.catch(() => {});
  }

  /** Waits for a group, during which the next one runs. */
  async #answer({ made }: Sent): Promise<Committed | undefined> {
    this.#isUnderWay = true;
    this.#next.begin();
    try {
      return await made;
    } finally {
      this.#isUnderWay = false;
    }
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
          run = this.#run(facts, changes).end();
          if (run && !run.commit) return;
          if (run?.commit) {
            const result = await this.#attempts.call(queries, run.commit);
            if (Object.values(result).every((found) => found === null)) return;
            workspace.overlay.forget(run.batch);
            run = undefined;
            await this.#attempts.adapt(queries, result);
          } else await this.#attempts.fetch(queries, facts);
        }
      });
    } catch (error) {
      const commit = run?.commit;
      const isMade = commit !== undefined && error instanceof OutcomeUnknown && (await this.#attempts.isMade(commit));
      if (!isMade) {
        if (run) workspace.overlay.forget(run.batch);
        const isMended = await this.#attempts.mend(error);
        if (commit && mayFail && (isMended || error instanceof OutcomeUnknown)) return undefined;
        throw error;
      }
    }
    this.#keep(run as GroupRun);
    return { run: run as GroupRun, seconds: (performance.now() - start) / 1000 };
  }
}
