import type { Recorded } from "../../schema/record";
import { Conflict } from "../../schema/refused-change";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import type { ChangeContext, GuardedContext } from "../change-context";
import { decideChange } from "../decide";
import { ForgottenAwait, RecordNotFound } from "../errors";
import { type PatchOf, patched } from "../patched";
import type { Stored } from "../stored";
import type { Plan, Read, TransactionEngine, Write } from "./engine";
import { runInside } from "./inside";
import { Operation } from "./operation";
import type { ReservedIds } from "./reserved-ids";
import type { Transaction, TransactionContext } from "./transaction";

/** Maximum number of changes. A commit delays all other writes. */
export const mostChanges = 1000;

/** A record that a call has resolved with, and the write that made it. */
interface Shown {
  readonly record: Recorded<object>;
  readonly write: number;
}

/** The result of a function: the value that it returned, or the error that it threw. */
export type Result<T> = { readonly value: T } | { readonly error: unknown };

/** One try of a transaction. Notes what it reads, and keeps its changes until the commit. */
export class Attempt implements Transaction {
  readonly #reads = new Map<string, Read>();
  readonly #writes: Write[] = [];
  /** The newest state of each record that was read or written, as this transaction sees it. */
  readonly #view = new Map<string, Stored | undefined>();
  /** The last write of each record. */
  readonly #writtenBy = new Map<string, number>();
  readonly #shown: Shown[] = [];
  readonly #operations: Operation<unknown>[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Returns what a call gets that comes too late. Undefined while the transaction runs. */
  #late: (() => Promise<never>) | undefined;

  constructor(
    readonly engine: TransactionEngine,
    readonly context: TransactionContext,
    readonly ids: ReservedIds,
  ) {}

  get isRunning(): boolean {
    return this.#late === undefined;
  }

  /** Identifies what was read. */
  get keys(): Iterable<string> {
    return this.#reads.keys();
  }

  /**
   * Runs the function of the transaction.
   *
   * @throws {ForgottenAwait} if it returned before one of its calls was awaited.
   */
  async run<T>(work: (tx: Transaction) => T | Promise<T>): Promise<Result<T>> {
    try {
      const value = await runInside(this, () => work(this));
      const forgotten = this.#operations.find(({ isForgotten }) => isForgotten);
      if (forgotten) {
        // Whoever does not wait for a call would not handle its error either, which would end the process.
        this.#late = () => new Promise(() => {});
        throw new ForgottenAwait(forgotten.what);
      }
      this.end(new Error("The transaction has ended; make its changes before its function returns."));
      return { value };
    } catch (error) {
      if (error instanceof ForgottenAwait) throw error;
      this.end(error);
      return { error };
    }
  }

  /** Refuses all further calls with an error. */
  end(error: unknown): void {
    this.#late ??= () => Promise.reject(error);
  }

  /** Returns what is to be committed: everything if the function returned, or only a look at what it read if it threw. */
  plan<T>(result: Result<T>, answerOf: () => string | undefined): Plan {
    const reads = [...this.#reads.values()];
    if ("error" in result) return { reads, writes: [], context: this.context, answerOf: () => undefined };
    const answer = (written: readonly Stored[]) => {
      for (const { record, write } of this.#shown) {
        const { version, createdAt, updatedAt } = JSON.parse((written[write] as Stored).json) as Recorded<object>;
        Object.assign(record, { version, createdAt, updatedAt });
      }
      return answerOf();
    };
    return { reads, writes: this.#writes, context: this.context, answerOf: answer };
  }

  get<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]> | undefined> {
    return this.#call("get", resource, id, async () => {
      const found = await this.#current(resource, id);
      return found && this.#show(resource, found);
    });
  }

  read<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]>> {
    return this.#call("read", resource, id, async () => this.#show(resource, await this.#existing(resource, id)));
  }

  insert<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: Proposed<T>,
    { emit }: Pick<ChangeContext<T["events"]>, "emit"> = {},
  ): Promise<Recorded<T["fields"]>> {
    return this.#call("insert", resource, undefined, async () => {
      const id = await this.ids.next(resource);
      const { stored } = decideChange(resource, fields, this.#circumstances(id, undefined));
      return this.#write({ kind: "insert", resource, state: stored, emit });
    });
  }

  update<T extends ResourceTypes, const Patch extends PatchOf<T, Patch>>(
    resource: Resource<T>,
    id: number,
    patch: Patch | ((record: Recorded<T["fields"]>) => Patch),
    { emit, guard }: Pick<GuardedContext<T["events"]>, "emit" | "guard"> = {},
  ): Promise<Recorded<T["fields"]>> {
    return this.#call("update", resource, id, async () => {
      const current = await this.#existing(resource, id);
      guard?.(current);
      const record = JSON.parse(current.json) as Recorded<T["fields"]>;
      const fields = patched(resource, record, typeof patch === "function" ? patch(record) : patch);
      const { stored, isChange } = decideChange(resource, fields, this.#circumstances(id, current));
      return isChange || emit ? this.#write({ kind: "update", resource, state: stored, emit }) : this.#show(resource, current);
    });
  }

  remove<T extends ResourceTypes>(
    resource: Resource<T>,
    id: number,
    { emit, guard }: Pick<GuardedContext<T["events"]>, "emit" | "guard"> = {},
  ): Promise<Recorded<T["fields"]>> {
    return this.#call("remove", resource, id, async () => {
      const last = await this.#existing(resource, id);
      guard?.(last);
      return this.#write({ kind: "remove", resource, state: last, emit });
    });
  }

  /** Runs the work of a call after that of the earlier calls, so that each sees the changes of those before it. */
  #call<R>(method: string, resource: Resource, id: number | undefined, work: () => Promise<R>): Promise<R> {
    if (this.#late) return this.#late();
    const result = this.#last.then(() => this.#late?.() ?? work());
    this.#last = result.catch(() => {});
    const operation = new Operation(`tx.${method}(${resource.name}${id === undefined ? "" : `, ${id}`})`, result);
    this.#operations.push(operation);
    return operation;
  }

  #circumstances(id: number, previous: Stored | undefined) {
    return { id, previous, now: new Date().toISOString(), actor: this.context.actor };
  }

  async #existing(resource: Resource, id: number): Promise<Stored> {
    const found = await this.#current(resource, id);
    if (!found) throw new RecordNotFound(resource.name, id);
    return found;
  }

  async #current(resource: Resource, id: number): Promise<Stored | undefined> {
    const key = keyOf(resource, id);
    if (this.#view.has(key)) return this.#view.get(key);
    const found = await this.engine.newest(resource, id);
    this.#reads.set(key, { resource, id, found });
    this.#view.set(key, found);
    return found;
  }

  #write<T extends ResourceTypes>(write: Write & { readonly resource: Resource<T> }): Recorded<T["fields"]> {
    if (this.#writes.length === mostChanges)
      throw new Conflict(`A transaction may make at most ${mostChanges} changes. Nothing was changed. Split it into several.`);
    const { kind, resource, state } = write;
    const key = keyOf(resource, state.id);
    this.#writtenBy.set(key, this.#writes.push(write) - 1);
    this.#view.set(key, kind === "remove" ? undefined : state);
    return this.#show(resource, state);
  }

  /** Returns a copy of a record for the function of the transaction. */
  #show<T extends ResourceTypes>(resource: Resource<T>, stored: Stored): Recorded<T["fields"]> {
    const record = JSON.parse(stored.json) as Recorded<T["fields"]>;
    const write = this.#writtenBy.get(keyOf(resource, stored.id));
    if (write !== undefined) this.#shown.push({ record, write });
    return record;
  }
}

function keyOf({ name }: Resource, id: number): string {
  return `${name}/${id}`;
}
