import type { Actor } from "../../schema/actor";
import { type Mistake, maxMistakes } from "../../schema/mistakes";
import { Conflict, InvalidRecord } from "../../schema/refused-change";
import type { Resource } from "../../schema/resource";
import type { Referrer } from "../removal";
import type { Stored } from "../stored";
import type { DerivedEntries, EntryChange, ReferenceEntries, UniqueEntries } from "./side-entries";

export interface RecordChange {
  readonly resource: Resource;
  readonly id: number;
  /** The record before the change. Undefined if the change creates it. */
  readonly before: Stored | undefined;
  /** The fields after the change. Undefined if the change deletes the record. */
  readonly after: object | undefined;
  /** Who makes the change. It can refer only to records that the actor can see. */
  readonly actor: Actor | undefined;
}

/** The data that an engine derives from the records of one resource. It may change between changes. */
export interface SideEntries {
  readonly unique: readonly UniqueEntries[];
  /** References to other records. */
  readonly references: readonly ReferenceEntries[];
  readonly derived: readonly DerivedEntries[];
}

interface Own {
  readonly entries: SideEntries;
  /** References of all resources to the records of this one. */
  readonly incoming: readonly ReferenceEntries[];
}

/**
 * Checks unique keys and references, and keeps what lists need, inside a change. It looks at the records when all changes made
 * {@link together} are known, so that they can swap values and refer to each other.
 */
export class Constraints {
  readonly #own: ReadonlyMap<string, Own>;
  /** The changes that run together, one per record. */
  #changes: Map<string, RecordChange> | undefined;

  /**
   * @param entries the entries of each resource, by its name.
   * @param write writes changes of unique values and references with the running change.
   */
  constructor(
    entries: ReadonlyMap<string, SideEntries>,
    readonly write: (changes: readonly EntryChange[]) => void,
  ) {
    const references = [...entries.values()].flatMap((own) => own.references);
    const incoming = (name: string) => references.filter(({ reference }) => reference.to === name);
    this.#own = new Map([...entries].map(([name, own]) => [name, { entries: own, incoming: incoming(name) }]));
  }

  /** Returns the id of the record that has these values in a unique key, as last committed. */
  findByKey(resource: Resource, name: string, values: object): number | undefined {
    const { table, value } = this.#keyed(resource, name, values);
    return value === null ? undefined : table.get(value);
  }

  /** Like {@link findByKey}, including uncommitted changes. */
  currentByKey(resource: Resource, name: string, values: object): number | undefined {
    const { table, value } = this.#keyed(resource, name, values);
    return value === null ? undefined : table.current(value);
  }

  #keyed(resource: Resource, name: string, values: object): { readonly table: UniqueEntries; readonly value: string | null } {
    const table = this.#of(resource.name).entries.unique.find(({ key }) => key.name === name);
    if (!table) throw new Error(`The resource "${resource.name}" has no unique key "${name}".`);
    return { table, value: table.valueOf(values) };
  }

  /** Returns the records that the deletion of a record deletes or changes. */
  *affected({ resource, id }: { readonly resource: Resource; readonly id: number }): Generator<Referrer> {
    for (const table of this.#of(resource.name).incoming) {
      const { onDelete, path } = table.reference;
      if (onDelete === "restrict") continue;
      for (const referrer of table.referrers(id)) yield { resource: table.resource, id: referrer, path, onDelete };
    }
  }

  /**
   * Runs changes of one or several records.
   *
   * @throws {Conflict} if another record has a value of a unique key, or refers to a deleted record. Nothing may be committed then.
   * @throws {InvalidRecord} if a record refers to one that does not exist. Nothing may be committed then.
   */
  together<T>(changes: () => T): T {
    if (this.#changes) return changes();
    const made = new Map<string, RecordChange>();
    this.#changes = made;
    try {
      const value = changes();
      this.#settle([...made.values()]);
      return value;
    } finally {
      this.#changes = undefined;
    }
  }

  /** Notes a change of a record, inside of {@link together}. */
  apply(change: RecordChange): void {
    const { resource, id, before, after } = change;
    const key = `${resource.name}/${id}`;
    const known = this.#changes?.get(key);
    this.#changes?.set(key, { ...change, before: known ? known.before : before });
    // A deletion that runs together with this change has to find the record.
    for (const table of this.#of(resource.name).entries.references) for (const target of table.targetsIn(after)) table.note(target, id);
  }

  #settle(changes: readonly RecordChange[]): void {
    const read = changes.map(({ before: stored, ...change }) => {
      const { entries, incoming } = this.#of(change.resource.name);
      const { unique, references, derived } = entries;
      const isRead = unique.length + references.length + derived.length > 0;
      return {
        ...change,
        unique,
        references,
        derived,
        incoming,
        before: isRead && stored ? (JSON.parse(stored.json) as object) : undefined,
      };
    });
    const made: EntryChange[] = [];
    const claims = read.flatMap(({ unique, id, before, after }) =>
      unique.flatMap((table) => {
        const [old, now] = [before && table.valueOf(before), after && table.valueOf(after)];
        if (old === now) return [];
        if (typeof old === "string") {
          table.release(old);
          made.push({ name: table.name, key: old, id, isHeld: false });
        }
        return typeof now === "string" ? { table, value: now, id } : [];
      }),
    );
    for (const { table, value, id } of claims) {
      table.hold(value, id);
      made.push({ name: table.name, key: value, id, isHeld: true });
    }
    for (const { resource, references, ...change } of read) {
      const mistakes = references.flatMap((table) => refer(table, change, made));
      if (mistakes.length > 0)
        throw new InvalidRecord(`The ${resource.name} refers to what does not exist.`, mistakes.slice(0, maxMistakes));
    }
    for (const { derived, id, before, after } of read) for (const entries of derived) entries.apply(id, before, after);
    for (const { incoming, id, after } of read) if (after === undefined) for (const table of incoming) refuseReferred(table, id);
    if (made.length > 0) this.write(made);
  }

  #of(name: string): Own {
    return this.#own.get(name) as Own;
  }
}

/**
 * Adds the changes of a record's references to `made`. Returns a mistake for each place in which it newly refers to a record that does
 * not exist.
 */
function refer(
  table: ReferenceEntries,
  { id, before, after, actor }: Pick<RecordChange, "id" | "after" | "actor"> & { readonly before: object | undefined },
  made: EntryChange[],
): Mistake[] {
  const [old, now] = [table.targetsIn(before), table.targetsIn(after)];
  for (const key of old) if (!now.has(key)) made.push({ name: table.name, key, id, isHeld: false });
  const missing = new Set<unknown>();
  for (const key of now) {
    if (old.has(key)) continue;
    made.push({ name: table.name, key, id, isHeld: true });
    if (!table.hasTarget(key, actor)) missing.add(key);
  }
  if (after === undefined || missing.size === 0) return [];
  const detail = `There is no ${table.reference.to} with this id.`;
  return table.placesIn(after).flatMap(({ pointer, value }) => (missing.has(value) ? { pointer, detail } : []));
}

/** @throws {Conflict} if a record still refers to a deleted one. */
function refuseReferred(table: ReferenceEntries, id: number): void {
  const { resource, reference } = table;
  for (const _ of table.referrers(id))
    throw new Conflict(
      `The ${reference.to} cannot be deleted, because at least one ${resource.name} refers to it in "${reference.path}". ` +
        `Change or delete each such ${resource.name} first.`,
    );
}
