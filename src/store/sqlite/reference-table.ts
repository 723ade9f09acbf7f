import type { Database, Statement } from "bun:sqlite";
import type { Actor } from "../../schema/actor";
import { distinctAt, type PlacedValue, stepsOf, valuesAt } from "../../schema/path-values";
import type { Reference } from "../../schema/references";
import type { Resource } from "../../schema/resource";
import { exists } from "../access";
import type { PendingEntries, PendingTables, SideEntry } from "./pending-entries";
import type { Table } from "./resource-table";
import { referenceTableName, type SideTable } from "./side-tables";
import type { Uncommitted } from "./uncommitted";

/** Number of ids to read at a time. Most readers need only the first. */
const pageSize = 100;

/** The records that refer to a record, by one reference. */
export class ReferenceTable implements SideTable {
  readonly name: string;
  readonly title: string;
  readonly definition: string;
  readonly columns = "key INTEGER, id INTEGER, PRIMARY KEY (key, id)";
  readonly pending: PendingEntries;
  readonly remedy =
    "Start the service without this reference, create the missing records or change or delete the ones named, and declare it again.";
  readonly #steps: ReturnType<typeof stepsOf>;
  #ids: Statement<{ id: number }, [number, number, number]> | undefined;

  readonly #own: Table;
  /** Table of the records that they refer to. */
  readonly to: Table;

  /** @param tables the tables of the records that refer, and of those that they refer to. */
  constructor(
    readonly db: Database,
    readonly uncommitted: Uncommitted,
    readonly resource: Resource,
    readonly reference: Reference,
    tables: { readonly own: Table; readonly to: Table },
    pending: PendingTables,
  ) {
    const { path } = reference;
    this.#own = tables.own;
    this.to = tables.to;
    this.name = referenceTableName(resource.plural, path);
    this.pending = pending.of(this.name);
    this.title = `The reference "${path}" of "${resource.name}"`;
    this.definition = tables.to.name;
    this.#steps = stepsOf(path);
  }

  /** Returns the ids that a record refers to, with their places. An id may occur several times. */
  placesIn(record: object): PlacedValue[] {
    return valuesAt(record, this.#steps);
  }

  /** Returns whether a record to refer to exists, as far as an actor can see. */
  hasTarget(target: number, actor: Actor | undefined): boolean {
    return actor ? exists(this.to.resource, this.to.current(target), actor) : this.to.has(target);
  }

  targetsIn(record: object | undefined): Set<number> {
    return distinctAt(record, this.#steps) as Set<number>;
  }

  entriesOf(record: object, id: number): SideEntry[] {
    return [...this.targetsIn(record)].map((key) => ({ key, id }));
  }

  refusal({ key, id }: SideEntry): string | undefined {
    return this.to.has(key as number) ? undefined : `${this.resource.name} ${id}: there is no ${this.reference.to} ${key}`;
  }

  /** Notes that a record may refer to another one, so that {@link referrers} considers it. */
  note(target: number, id: number): void {
    this.uncommitted.append(this.#viewKey(target), id);
  }

  /** Returns the ids of the records that refer to a record, including uncommitted changes. */
  *referrers(target: number): Generator<number> {
    const refers = (id: number) => {
      const current = this.#own.current(id);
      return current !== undefined && this.targetsIn(JSON.parse(current.json) as object).has(target);
    };
    // A record that has changed since may be in either place, so its current state decides.
    const changed = new Set([...this.uncommitted.appended<number>(this.#viewKey(target)), ...this.pending.of(target).keys()]);
    for (const id of changed) if (refers(id)) yield id;
    this.#ids ??= this.db.prepare(`SELECT id FROM "${this.name}" WHERE key = ? AND id > ? ORDER BY id LIMIT ?`);
    for (let last = 0; ; ) {
      const found = this.#ids.all(target, last, pageSize);
      for (const { id } of found) if (!changed.has(id) && refers(id)) yield id;
      if (found.length < pageSize) return;
      last = found.at(-1)?.id ?? 0;
    }
  }

  #viewKey(target: number): string {
    return `${this.name}/${target}`;
  }
}
