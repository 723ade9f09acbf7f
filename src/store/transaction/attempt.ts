import type { Actor } from "../../schema/actor";
import type { Recorded } from "../../schema/record";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import { timestamp } from "../../timing/clock";
import { asAdmin, changeable, limitsOf, ownValues, readable, requireScope } from "../access";
import type { ChangeContext } from "../change-context";
import { decideChange } from "../decide";
import { ForgottenAwait, RecordNotFound } from "../errors";
import { type PatchOf, patched } from "../patched";
import { shown } from "../shown";
import type { Stored } from "../stored";
import type { Plan, TransactionEngine, Write } from "./engine";
import type { Exact } from "./exact";
import { runInside } from "./inside";
import { Operation } from "./operation";
import type { ReservedIds } from "./reserved-ids";
import type { GuardedWriteOptions, Transaction, TransactionContext, WriteOptions } from "./transaction";
import { View } from "./view";

/** The result of a function: the value that it returned, or the error that it threw. */
export type WorkResult<T> = { readonly value: T } | { readonly error: unknown };

/** One try of a transaction. Runs its calls, and keeps its changes until the commit. */
export class TransactionAttempt implements Transaction {
  protected readonly view: View;
  readonly #operations: Operation<unknown>[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Returns what a call gets that comes too late. Undefined while the transaction runs. */
  #late: (() => Promise<never>) | undefined;

  /** @param name what the function calls it, for error messages. */
  constructor(
    readonly engine: TransactionEngine,
    readonly context: TransactionContext,
    readonly ids: ReservedIds,
    readonly name = "tx",
  ) {
    this.view = new View(engine);
  }

  get isRunning(): boolean {
    return this.#late === undefined;
  }

  /** Identifies what was read. */
  get keys(): Iterable<string> {
    return this.view.reads.keys();
  }

  /**
   * Runs the function of the transaction.
   *
   * @throws {ForgottenAwait} if it returned before one of its calls was awaited.
   */
  async run<T>(work: (tx: Transaction) => T | Promise<T>): Promise<WorkResult<T>> {
    try {
      const value = await runInside(this, () => work(this));
      this.finish("The transaction");
      return { value };
    } catch (error) {
      if (error instanceof ForgottenAwait) throw error;
      this.end(error);
      return { error };
    }
  }

  /**
   * Ends the try after its function has returned.
   *
   * @param who whatever made the calls.
   * @throws {ForgottenAwait} if one of the calls was not awaited.
   */
  finish(who: string): void {
    const forgotten = this.#operations.find(({ isForgotten }) => isForgotten);
    if (forgotten) {
      // Whoever does not wait for a call would not handle its error either, which would end the process.
      this.#late = () => new Promise(() => {});
      throw new ForgottenAwait(forgotten.what, who);
    }
    this.end(new Error(`${who} has ended; make its changes before its function returns.`));
  }

  /** Refuses all further calls with an error. */
  end(error: unknown): void {
    this.#late ??= () => Promise.reject(error);
  }

  /** Returns what is to be committed: everything if the function returned, or only a look at what it read if it threw. */
  plan<T>(result: WorkResult<T>, answerOf: () => string | undefined): Plan {
    const reads = [...this.view.reads.values()];
    if ("error" in result) return { reads, writes: [], cancel: [], context: this.context, answerOf: () => undefined };
    const answer = (committed: readonly Stored[]) => {
      this.view.complete(committed);
      return answerOf();
    };
    return { reads, writes: this.view.writes, cancel: this.view.cancelled, context: this.context, answerOf: answer };
  }

  get<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]> | undefined> {
    return this.call("get", resource, id, async () => this.#copyOf(resource, await this.#readable(resource, id)));
  }

  read<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]>> {
    return this.call("read", resource, id, async () =>
      this.view.copyOf(resource, existing(resource, id, await this.#readable(resource, id))),
    );
  }

  findByKey<T extends ResourceTypes>(
    resource: Resource<T>,
    name: string,
    values: Partial<T["fields"]>,
  ): Promise<Recorded<T["fields"]> | undefined> {
    return this.call("findByKey", resource, undefined, async () => {
      const { actor } = this.context;
      const found = await this.view.byKey(resource, name, ownValues(resource, values, actor));
      return this.#copyOf(resource, readable(resource, found, actor));
    });
  }

  list<T extends ResourceTypes>(resource: Resource<T>, where: Exact<T>): Promise<Recorded<T["fields"]>[]> {
    return this.call("list", resource, undefined, async () => {
      const found = await this.view.list(resource, where, limitsOf(resource, this.context.actor, "read"));
      return found.map((state) => this.view.copyOf(resource, state));
    });
  }

  insert<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: Proposed<T>,
    options: WriteOptions<T> = {},
  ): Promise<Recorded<T["fields"]>> {
    return this.call("insert", resource, undefined, async () => {
      const actor = this.#actor(options);
      requireScope(resource, actor);
      const id = await this.ids.next(resource);
      const { stored } = decideChange(resource, fields, circumstances(id, undefined, actor));
      return this.#write({ kind: "insert", resource, state: stored, ...eventsOf(options), actor });
    });
  }

  update<T extends ResourceTypes, const Patch extends PatchOf<T, Patch>>(
    resource: Resource<T>,
    id: number,
    patch: Patch | ((record: Recorded<T["fields"]>) => Patch),
    options: GuardedWriteOptions<T> = {},
  ): Promise<Recorded<T["fields"]>> {
    return this.call("update", resource, id, async () => {
      const actor = this.#actor(options);
      const current = await this.#changeable(resource, id, actor);
      options.guard?.(shown(resource, current));
      const record = JSON.parse(current.json) as Recorded<T["fields"]>;
      const fields = patched(resource, record, typeof patch === "function" ? patch(record) : patch);
      const { stored, isChange } = decideChange(resource, fields, circumstances(id, current, actor));
      if (!isChange && !hasEvents(options)) return this.view.copyOf(resource, current);
      return this.#write({ kind: "update", resource, state: stored, ...eventsOf(options), actor });
    });
  }

  remove<T extends ResourceTypes>(resource: Resource<T>, id: number, options: GuardedWriteOptions<T> = {}): Promise<Recorded<T["fields"]>> {
    return this.call("remove", resource, id, async () => {
      const actor = this.#actor(options);
      const last = await this.#changeable(resource, id, actor);
      options.guard?.(shown(resource, last));
      return this.#write({ kind: "remove", resource, state: last, ...eventsOf(options), actor });
    });
  }

  /** Runs the work of a call after that of the earlier calls, so that each sees the changes of those before it. */
  protected call<R>(method: string, resource: Resource | undefined, id: number | undefined, work: () => Promise<R>): Promise<R> {
    if (this.#late) return this.#late();
    const result = this.#last.then(() => this.#late?.() ?? work());
    this.#last = result.catch(() => {});
    const operation = new Operation(
      `${this.name}.${method}(${[resource?.name, id].filter((part) => part !== undefined).join(", ")})`,
      result,
    );
    this.#operations.push(operation);
    return operation;
  }

  #actor(options: { readonly asAdmin?: boolean }): Actor | undefined {
    return options.asAdmin ? asAdmin(this.context.actor) : this.context.actor;
  }

  async #readable(resource: Resource, id: number): Promise<Stored | undefined> {
    return readable(resource, await this.view.get(resource, id), this.context.actor);
  }

  async #changeable(resource: Resource, id: number, actor: Actor | undefined): Promise<Stored> {
    return existing(resource, id, changeable(resource, await this.view.get(resource, id), actor));
  }

  #write<T extends ResourceTypes>(write: Write & { readonly resource: Resource<T> }): Recorded<T["fields"]> {
    this.view.write(write);
    return this.view.copyOf(write.resource, write.state);
  }

  #copyOf<T extends ResourceTypes>(resource: Resource<T>, found: Stored | undefined): Recorded<T["fields"]> | undefined {
    return found && this.view.copyOf(resource, found);
  }
}

/** @throws {RecordNotFound} */
function existing({ name }: Resource, id: number, found: Stored | undefined): Stored {
  if (!found) throw new RecordNotFound(name, id);
  return found;
}

function circumstances(id: number, previous: Stored | undefined, actor: Actor | undefined) {
  return { id, previous, now: timestamp(), actor };
}

function eventsOf({ emit, later, cancel }: Pick<ChangeContext, "emit" | "later" | "cancel">) {
  return { emit, later, cancel };
}

function hasEvents({ emit, later = [], cancel = [] }: Pick<ChangeContext, "emit" | "later" | "cancel">): boolean {
  return emit !== undefined || later.length + cancel.length > 0;
}
