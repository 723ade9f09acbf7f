import type { Recorded } from "../../schema/record";
import { Conflict } from "../../schema/refused-change";
import type { Resource, ResourceTypes } from "../../schema/resource";
import type { Stored } from "../stored";
import { uniqueValueOf } from "../unique-values";
import { mostListed, type Read, type TransactionEngine, type Write } from "./engine";
import { checkExact, matcherOf } from "./exact";

/** Maximum number of changes. A commit delays all other writes. */
const mostChanges = 1000;

/** The records as one try of a transaction sees them: as it read them first, with its own changes. Notes what it read and wrote. */
export class View {
  readonly writes: Write[] = [];
  /** Keys of timers to cancel. */
  readonly cancelled: string[] = [];
  /** The reads so far, by a text that identifies each. */
  readonly reads = new Map<string, Read>();
  /** The newest state of each record that was read or written. */
  readonly #states = new Map<string, Stored | undefined>();
  /** The records that were written, with the number of their last write. */
  readonly #written = new Map<string, { readonly resource: Resource; readonly id: number; readonly write: number }>();
  /** The copies that the function of the transaction has got of records that it wrote, with the number of the write. */
  readonly #copies: { readonly record: Recorded<object>; readonly write: number }[] = [];

  constructor(readonly engine: TransactionEngine) {}

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    const key = keyOf(resource, id);
    if (!this.#states.has(key)) this.#note(resource, id, await this.engine.newest(resource, id));
    return this.#states.get(key);
  }

  /** @throws {TypeError} if there is no such key. */
  async byKey(resource: Resource, name: string, values: object): Promise<Stored | undefined> {
    const key = resource.unique.find((one) => one.name === name);
    if (!key) throw new TypeError(`The resource "${resource.name}" has no unique key "${name}".`);
    const textOf = uniqueValueOf(key);
    const value = textOf(values);
    if (value === null) return undefined;
    const has = ({ json }: Stored) => textOf(JSON.parse(json) as object) === value;
    const own = this.#ownStates(resource).find((state) => state && has(state));
    if (own) return own;
    const read = `${resource.name}?${name}=${value}`;
    let known = this.reads.get(read);
    if (known?.kind !== "key") {
      known = { kind: "key", resource, name, values, found: await this.engine.newestByKey(resource, name, values) };
      this.reads.set(read, known);
    }
    const state = known.found === undefined ? undefined : await this.get(resource, known.found);
    return state && has(state) ? state : undefined;
  }

  /**
   * @param limits values that the records must have as well, of fields that cannot be asked for.
   * @throws {TypeError} if the fields cannot be listed by.
   * @throws {Conflict} if there are too many records.
   */
  async list(resource: Resource, given: object, limits: Readonly<Record<string, string>>): Promise<Stored[]> {
    const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    checkExact(resource, asked);
    if (Object.entries(limits).some(([field, value]) => field in asked && asked[field] !== value)) return [];
    const where = { ...asked, ...limits };
    const read = `${resource.name}?${JSON.stringify(Object.entries(where).sort())}`;
    let known = this.reads.get(read);
    if (known?.kind !== "list") {
      const found = await this.engine.newestList(resource, where);
      if (!found)
        throw new Conflict(`A transaction can list at most ${mostListed} ${resource.plural}, and more match. Nothing was changed.`);
      for (const state of found) if (!this.#states.has(keyOf(resource, state.id))) this.#note(resource, state.id, state);
      known = { kind: "list", resource, where, found: found.map(({ id }) => id) };
      this.reads.set(read, known);
    }
    const matches = matcherOf(where);
    const states = [...known.found.map((id) => this.#states.get(keyOf(resource, id))), ...this.#ownStates(resource)];
    const matching = states.filter((state) => state !== undefined).filter(({ json }) => matches(JSON.parse(json) as object));
    return [...new Map(matching.map((state) => [state.id, state])).values()].sort((a, b) => a.id - b.id);
  }

  /** @throws {Conflict} if it is one change too many. */
  write(write: Write): void {
    if (this.writes.length === mostChanges)
      throw new Conflict(`A transaction may make at most ${mostChanges} changes. Nothing was changed. Split it into several.`);
    const { kind, resource, state } = write;
    const key = keyOf(resource, state.id);
    this.#written.set(key, { resource, id: state.id, write: this.writes.push(write) - 1 });
    this.#states.set(key, kind === "remove" ? undefined : state);
  }

  /** Returns a function that forgets the changes that are made from now on. */
  mark(): () => void {
    const [writes, cancelled, copies] = [this.writes.length, this.cancelled.length, this.#copies.length];
    const [states, written] = [new Map(this.#states), new Map(this.#written)];
    return () => {
      this.writes.length = writes;
      this.cancelled.length = cancelled;
      this.#copies.length = copies;
      for (const [own, before] of [[this.#states, states] as const, [this.#written, written] as const]) {
        own.clear();
        for (const [key, value] of before) (own as Map<string, unknown>).set(key, value);
      }
    };
  }

  /** Forgets all changes, but not what was read. */
  undo(): void {
    for (const list of [this.writes, this.cancelled, this.#copies]) list.length = 0;
    this.#written.clear();
    this.#states.clear();
    for (const read of this.reads.values()) if (read.kind === "record") this.#states.set(keyOf(read.resource, read.id), read.found);
  }

  /** Returns a copy of a record for the function of the transaction. */
  copyOf<T extends ResourceTypes>(resource: Resource<T>, { id, json }: Stored): Recorded<T["fields"]> {
    const record = JSON.parse(json) as Recorded<T["fields"]>;
    const written = this.#written.get(keyOf(resource, id));
    if (written) this.#copies.push({ record, write: written.write });
    return record;
  }

  /** Gives all copies the version and times with which they were committed. */
  complete(committed: readonly Stored[]): void {
    for (const { record, write } of this.#copies) {
      const made = committed[write];
      // Another process commits, and the function has ended.
      if (!made) return;
      const { version, createdAt, updatedAt } = JSON.parse(made.json) as Recorded<object>;
      Object.assign(record, { version, createdAt, updatedAt });
    }
  }

  #note(resource: Resource, id: number, found: Stored | undefined): void {
    const key = keyOf(resource, id);
    this.reads.set(key, { kind: "record", resource, id, found });
    this.#states.set(key, found);
  }

  #ownStates({ name }: Resource): (Stored | undefined)[] {
    const own = [...this.#written.values()].filter(({ resource }) => resource.name === name);
    return own.map(({ resource, id }) => this.#states.get(keyOf(resource, id)));
  }
}

function keyOf({ name }: Resource, id: number): string {
  return `${name}/${id}`;
}
