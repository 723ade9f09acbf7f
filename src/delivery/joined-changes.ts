import type { Resource } from "../schema/resource";
import type { TransactionEnd } from "../store/consumer/store";
import type { Endings, NotCommitted, Plan, PlanOutcome, Read } from "../store/transaction/engine";
import type { Task } from "./delivery";
import type { Result } from "./outcome";

/** The changes of one event could not be committed with its transaction, of which nothing was committed. Never leaves this folder. */
export class PartFailed extends Error {
  override readonly name = "PartFailed";
  constructor(
    readonly task: Task,
    /** That of the event if it was alone in the transaction. */
    readonly result: Result,
  ) {
    super("What the handler has changed could not be committed");
  }
}

/** A run of a handler that changes something. */
interface JoinedRun {
  readonly task: Task;
  /** Returns the result of its event if an outcome is why the commit was refused. */
  resultOf(outcome: PlanOutcome): Result | undefined;
  /** Returns the error with which it runs again. */
  stale(): Error;
}

/** The changes of handlers whose events share a transaction. They are committed as the end of the transaction. */
export class JoinedChanges {
  readonly #made: { readonly run: JoinedRun; readonly plan: Plan }[] = [];

  constructor(readonly endings: Endings) {}

  add(run: JoinedRun, plan: Plan): void {
    this.#made.push({ run, plan });
  }

  /** Returns a function that forgets what is added from now on. */
  mark(): () => void {
    const { length } = this.#made;
    return () => {
      this.#made.length = length;
    };
  }

  /** Returns whether changes of these events, which are not committed yet, may have other results for some reads. */
  mayHaveChanged(reads: readonly Read[]): boolean {
    const writes = this.#made.flatMap(({ plan }) => plan.writes);
    // What else goes with a record that is removed shows in the commit.
    if (writes.some(({ kind }) => kind === "remove")) return reads.length > 0;
    const isOf = ({ name }: Resource) => writes.filter(({ resource }) => resource.name === name);
    return reads.some((read) => {
      const own = isOf(read.resource);
      return read.kind === "record" ? own.some(({ state }) => state.id === read.id) : own.length > 0;
    });
  }

  /** Ends a transaction with the commit. */
  async endAt(end: TransactionEnd): Promise<void> {
    if (this.#made.length > 0) end.with(await this.endings.prepare(this.#made.map(({ plan }) => plan)));
  }

  /** Returns whose changes were not committed. */
  failure({ outcomes }: NotCommitted): PartFailed | undefined {
    for (const [index, { run }] of this.#made.entries()) {
      const outcome = outcomes[index];
      // It was more than fits into one commit, or the reason is gone.
      if (!outcome) break;
      const result = run.resultOf(outcome);
      if (result) return new PartFailed(run.task, result);
    }
    const next = this.#made[outcomes.length]?.run ?? this.#made[0]?.run;
    return next && new PartFailed(next.task, { kind: "failed", error: next.stale() });
  }
}
