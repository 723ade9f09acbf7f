import { Conflict, RefusedChange } from "../schema/refused-change";
import { StoreUnavailable } from "../store/errors";
import { ChangeAttempt, type Changes } from "../store/transaction/changes";
import type { Committed, TransactionEngine } from "../store/transaction/engine";
import { KeyLocks } from "../store/transaction/key-locks";
import { type Answer, RecordedAttempt, RepeatedAttempt } from "../store/transaction/recorded";
import { ReservedIds } from "../store/transaction/reserved-ids";
import type { Task } from "./delivery";
import { Reject, type Result } from "./outcome";

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
      /** An earlier delivery of the event has made them. */
      | { readonly kind: "made"; readonly answers: readonly Answer[] },
  ) {
    super("The handler has to run again");
  }
}

/** The outcome of earlier runs of a handler, for the next one. */
export interface Again {
  /** The answers of a run whose changes were committed. */
  readonly answers?: readonly Answer[];
  /** True if it has the locks on what the runs before it have read. */
  readonly hasLocks: boolean;
  /** True if each change is to be checked at its call. */
  readonly checksEach: boolean;
}

interface Note {
  /** Identifies the run that has committed the changes. */
  readonly run: string;
  /** What the calls of the handler have answered. Undefined if nothing but its changes depends on them. */
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
   */
  async settle(result: Result): Promise<Result> {
    try {
      if (result.kind === "failed") {
        this.#attempt.end(result.error);
        await this.#look(result.error);
        return failed(result.error);
      }
      this.#attempt.finish("The handler");
      return await this.#commit(result);
    } catch (error) {
      return failed(error instanceof StoreUnavailable ? new RunAgain({ kind: "unavailable", error }) : error);
    }
  }

  async #commit(result: Result): Promise<Result> {
    // Its changes are committed.
    if (this.#attempt instanceof RepeatedAttempt) return result;
    const note: Note = { run: this.#id, ...(this.#attempt instanceof RecordedAttempt && { answers: this.#attempt.answers }) };
    const plan = this.#attempt.plan({ value: undefined }, () => JSON.stringify(note));
    // Its other effects depend on what it has read: they must be the same each time.
    if (plan.writes.length + plan.cancel.length === 0 && !this.means.options.hasOtherEffects) return result;
    if (!this.again?.hasLocks && this.means.locks.areHeld(this.#attempt.keys)) throw this.#stale();
    const committed = await this.means.engine.commit(plan).then(
      (outcome) => this.#fresh(outcome),
      (error: unknown) => {
        if (error instanceof RefusedChange && !this.#attempt.checksEach) throw new RunAgain({ kind: "refused" });
        throw error;
      },
    );
    const made = JSON.parse(committed ?? "{}") as Note;
    if (made.run === this.#id) return result;
    if (!made.answers) return { kind: "duplicate" };
    throw new RunAgain({ kind: "made", answers: made.answers });
  }

  /** An error may be about something that the handler has read and that is not so any longer. */
  async #look(error: unknown): Promise<void> {
    if (error instanceof StoreUnavailable) throw error;
    const plan = this.#attempt.plan({ error }, () => undefined);
    const { once, ...context } = plan.context;
    if (plan.reads.length > 0) this.#fresh(await this.means.engine.commit({ ...plan, context }));
  }

  #fresh(committed: Committed): string | undefined {
    if (committed.isStale) throw this.#stale();
    return committed.text;
  }

  #stale(): RunAgain {
    return new RunAgain({ kind: "stale", keys: [...this.#attempt.keys] });
  }
}

/** A change that breaks a schema, rule or reference breaks it at the next attempt, too. */
function failed(error: unknown): Result {
  const isHopeless = error instanceof RefusedChange && !(error instanceof Conflict);
  return { kind: "failed", error: isHopeless ? new Reject(error.message, { cause: error }) : error };
}
