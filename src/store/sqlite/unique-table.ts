import type { Database, Statement } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import type { UniqueKey } from "../../schema/unique";
import { comparisonVersion, notUnique, uniqueValueOf } from "../unique-values";
import type { PendingEntries, PendingTables, SideEntry } from "./pending-entries";
import { type SideTable, uniqueTableName } from "./side-tables";
import type { Uncommitted } from "./uncommitted";

/**
 * The values of one unique key, each with the id of the record that has it. It is a table and not a UNIQUE index, because a failed
 * statement makes the whole group of changes run again, one by one.
 */
export class UniqueTable implements SideTable {
  readonly name: string;
  readonly definition: string;
  readonly title: string;
  readonly remedy =
    "Start the service without this unique key, change or delete these records, and declare it again. " +
    "Texts that differ only in the form of their Unicode characters are equal.";
  readonly columns = "key TEXT PRIMARY KEY, id INTEGER NOT NULL";
  readonly pending: PendingEntries;
  /** Returns a record's value, or null if it takes no place. */
  readonly valueOf: (record: object) => string | null;
  #find: Statement<{ id: number }, [string]> | undefined;

  constructor(
    readonly db: Database,
    readonly uncommitted: Uncommitted,
    readonly resource: Resource,
    readonly key: UniqueKey,
    pending: PendingTables,
  ) {
    this.name = uniqueTableName(resource.plural, key.name);
    this.pending = pending.of(this.name);
    this.title = `The unique key "${key.paths.join(", ")}" of "${resource.name}"`;
    this.definition = JSON.stringify([comparisonVersion, key.within, key.ignoreCase]);
    this.valueOf = uniqueValueOf(key);
  }

  entriesOf(record: object, id: number): SideEntry[] {
    const value = this.valueOf(record);
    return value === null ? [] : [{ key: value, id }];
  }

  refusal({ key, id }: SideEntry, isNew: boolean): string | undefined {
    return isNew ? undefined : `${this.resource.name} ${this.get(key as string)} and ${this.resource.name} ${id} are equal`;
  }

  /** Returns the id of the record that has a value, including uncommitted changes. */
  current(value: string): number | undefined {
    const changed = this.uncommitted.find<number | null>(this.#viewKey(value));
    return changed === undefined ? this.get(value) : (changed ?? undefined);
  }

  /** Returns the id of the record that has a value as last committed. */
  get(value: string): number | undefined {
    const states = this.pending.of(value);
    for (const [id, isHeld] of states) if (isHeld) return id;
    this.#find ??= this.db.prepare(`SELECT id FROM "${this.name}" WHERE key = ?`);
    const id = this.#find.get(value)?.id;
    return id === undefined || states.get(id) === false ? undefined : id;
  }

  /** @throws {Conflict} if another record has the value. */
  hold(value: string, id: number): void {
    if (this.current(value) !== undefined) throw notUnique(this.resource, this.key);
    this.uncommitted.keep(this.#viewKey(value), id);
  }

  release(value: string): void {
    this.uncommitted.keep(this.#viewKey(value), null);
  }

  #viewKey(value: string): string {
    return `${this.name}/${value}`;
  }
}
