import { Conflict, RefusedChange } from "../schema/refused-change";
import { ChainTooLong } from "../store/cause";
import { StoreUnavailable } from "../store/errors";
import { ChangeAttempt, type Changes } from "../store/transaction/changes";
import type { Plan, PlanOutcome, TransactionEngine } from "../store/transaction/engine";
import { KeyLocks } from "../store/transaction/key-locks";
import { type Answer, RecordedAttempt, RepeatedAttempt } from "../store/transaction/recorded";
import { ReservedIds } from "../store/transaction/reserved-ids";
import type { Task } from "./delivery";
import type { JoinedChanges } from "./joined-changes";
import { Reject, type Result } from "./outcome";
import { StoreTrouble } from "./store-trouble";

/** A run of a handler whose changes were not made by it. The handler has to run again. Never leaves this folder. */
export class RunAgain extends Error {
  override readonly name = "RunAgain";
  readonly #own = true;
  /** Same as `instanceof`, but never throws: a handler may throw a proxy that throws when its prototype is read. */
  static is(error: unknown): error is RunAgain {
    return typeof error === "object" && error !== null && #own in error;
  }
  constructor(
    readonly why:
      | { readonly kind: "stale"; readonly keys: readonly string[] }
      /** A unique value or a reference refuses a change. The handler may want to catch that. */
      | { readonly kind: "refused" }
      | { readonly kind: "unavailable"; readonly error: StoreUnavailable }
      /** An earlier delivery of the event has made them. Null: nobody has kept what the calls answered. */
      | { readonly kind: "made"; readonly answers: readonly Answer[] | null }
      /** An earlier event of its transaction may have changed what it has read. It has to run after the commit of that. */
      | { readonly kind: "too early" },
  ) {
    super("The handler has to run again");
  }
}

/** The outcome of earlier runs of a handler, for the next one. */
export interface Again {
  /** The answers of a run whose changes were committed. Null: nobody has kept them. */
  readonly answers?: readonly Answer[] | null;
  /** True if it has the locks on what the runs before it have read. */
  readonly hasLocks: boolean;
  /** True if each change is to be checked at its call. */
  readonly checksEach: boolean;
}

interface Note {
  /** Identifies the run that has committed the changes. */
  readonly run: string;
  /** The answers to the calls of the handler. Undefined if nothing but its changes depends on them. */
  readonly answers?: readonly Answer[];
}

export interface HandlerChangesOptions {
  readonly queue: string;
  /** How long it is remembered that an event was handled, in milliseconds. */
  readonly notesLiveMs: number;
  /** True if other effects of the handler are committed after its changes, so that it has to do the same again if they get lost. */
  readonly hasOtherEffects: boolean;
}

/** The changes of resources that the handlers of one consumer make. */
export class HandlerChanges {
  /** Locks on records, for handlers that run again because somebody has changed what they had read. */
  readonly locks = new KeyLocks();
  /** Why nothing can be committed now. */
  readonly trouble = new StoreTrouble();

  constructor(
    readonly engine: TransactionEngine,
    readonly options: HandlerChangesOptions,
  ) {}

  /** @param again what the runs before it have found. Undefined for the first one. */
  begin(task: Task, traceparent: string | undefined, again: Again | undefined): ChangingRun {
    return new ChangingRun(this, task, traceparent, again);
  }
}

/** The changes of one run of a handler. */
export class ChangingRun {
  readonly #id = crypto.randomUUID();
  readonly #attempt: ChangeAttempt;

  constructor(
    readonly means: HandlerChanges,
    readonly task: Task,
    traceparent: string | undefined,
    readonly again: Again | undefined,
  ) {
    const { engine, options } = means;
    const { event, delivery } = task;
    const { queue, notesLiveMs: livesMs } = options;
    // A forced replay handles an event once more, so that it is another note.
    const key = `note ${queue} ${event.id}${delivery.replay === "forced" ? ` ${this.#id}` : ""}`;
    const context = {
      actor: { subject: `consumer:${queue}`, scopes: ["admin"] },
      cause: { id: event.id, depth: event.depth ?? 0 },
      traceparent,
      once: { key, part: 0, fingerprint: "", owner: null, livesMs },
    };
    const rest = [engine, context, new ReservedIds(engine), "change"] as const;
    if (again?.answers) this.#attempt = new RepeatedAttempt(again.answers, ...rest);
    else this.#attempt = options.hasOtherEffects ? new RecordedAttempt(...rest) : new ChangeAttempt(...rest);
    this.#attempt.checksEach = again?.checksEach ?? false;
  }

  get changes(): Changes {
    return this.#attempt;
  }

  /**
   * Commits what the handler has changed, with a note that it has done its event. Resolves with the result of the event. Never rejects.
   *
   * @param result that of the handler.
   * @param joined what a transaction is to commit. Default: commits it at once.
   */
  async settle(result: Result, joined?: JoinedChanges): Promise<Result> {
    const settled = await this.#settled(result, joined);
    return settled.kind === "failed" && isCircle(settled.error) ? this.#circle(settled) : settled;
  }

  /** Returns the failure of a chain of causes, with all events of the chain. */
  async #circle(failure: Result): Promise<Result> {
    const { id, depth = 0 } = this.task.event;
    try {
      return failed(new ChainTooLong({ id, depth }, await this.means.engine.chain(id)));
    } catch {
      // It names the last event.
      return failure;
    }
  }

  async #settled(result: Result, joined: JoinedChanges | undefined): Promise<Result> {
    try {
      if (result.kind === "failed") {
        this.#attempt.end(result.error);
        return (await this.#look(result.error, joined)) ?? failed(result.error);
      }
      this.#attempt.finish("The handler");
      // They are committed.
      if (this.again?.answers !== undefined) return result;
      return joined ? this.#join(result, joined) : await this.#commit(result);
    } catch (error) {
      return failedWith(error);
    }
  }

  /** Returns the result of the event after a commit together with others. Undefined if it was not refused because of this run. */
  resultOf(outcome: PlanOutcome): Result | undefined {
    try {
      return this.#judge(outcome);
    } catch (error) {
      return failedWith(error);
    }
  }

  async #commit(result: Result): Promise<Result> {
    const plan = this.#plan();
    // Its other effects depend on what it has read: they must be the same each time.
    if (!hasWrites(plan) && !this.means.options.hasOtherEffects) return result;
    if (!this.again?.hasLocks && this.means.locks.areHeld(this.#attempt.keys)) throw this.stale();
    const outcome = await this.means.engine.commit(plan).catch((error: unknown) => ({ error }));
    return this.#judge(outcome) ?? result;
  }

  #join(result: Result, joined: JoinedChanges): Result {
    const plan = this.#plan();
    if (joined.mayHaveChanged(plan.reads)) throw new RunAgain({ kind: "too early" });
    if (hasWrites(plan)) joined.add(this, plan);
    else if (plan.reads.length > 0) joined.add(this, withoutNote(plan));
    return result;
  }

  #plan(): Plan {
    const note: Note = { run: this.#id, ...(this.#attempt instanceof RecordedAttempt && { answers: this.#attempt.answers }) };
    return this.#attempt.plan({ value: undefined }, () => JSON.stringify(note));
  }

  /** Returns undefined if the changes are committed, or could be. */
  #judge(outcome: PlanOutcome): Result | undefined {
    if ("error" in outcome) {
      if (outcome.error instanceof RefusedChange && !this.#attempt.checksEach) throw new RunAgain({ kind: "refused" });
      throw outcome.error;
    }
    if (outcome.isStale) throw this.stale();
    if (outcome.text === undefined) return undefined;
    const { run, answers = null } = JSON.parse(outcome.text) as Note;
    if (run === this.#id) return undefined;
    if (answers || this.means.options.hasOtherEffects) throw new RunAgain({ kind: "made", answers });
    return { kind: "duplicate" };
  }

  /**
   * An error may be about something that the handler has read and that is not so any longer, or that an earlier delivery of the event has
   * changed. Returns the result of the event in the latter case.
   */
  async #look(error: unknown, joined: JoinedChanges | undefined): Promise<Result | undefined> {
    if (error instanceof StoreUnavailable) throw error;
    const plan = this.#attempt.plan({ error }, () => undefined);
    if (joined?.mayHaveChanged(plan.reads)) throw new RunAgain({ kind: "too early" });
    // A run that repeats an earlier one knows of its note.
    const isRepeated = this.again?.answers !== undefined;
    return this.#judge(await this.means.engine.commit(isRepeated ? withoutNote(plan) : plan));
  }

  /** Returns that what it has read has changed. */
  stale(): RunAgain {
    return new RunAgain({ kind: "stale", keys: [...this.#attempt.keys] });
  }
}

function hasWrites({ writes, cancel }: Plan): boolean {
  return writes.length + cancel.length > 0;
}

function withoutNote(plan: Plan): Plan {
  const { once, ...context } = plan.context;
  return { ...plan, context };
}

function failedWith(error: unknown): Result {
  return failed(error instanceof StoreUnavailable ? new RunAgain({ kind: "unavailable", error }) : error);
}

/** A change that breaks a schema, rule or reference breaks it at the next attempt, too. */
function failed(error: unknown): Result {
  const isHopeless = error instanceof RefusedChange && !(error instanceof Conflict);
  return { kind: "failed", error: isHopeless ? new Reject(error.message, { cause: error }) : error };
}

/** Never throws: a handler may throw what throws when it is read. */
function isCircle(error: unknown): boolean {
  try {
    return error instanceof Reject && error.cause instanceof ChainTooLong;
  } catch {
    return false;
  }
}
