import type { Database, Statement } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import type { UniqueKey } from "../../../schema/unique";
import { equalRecords, uniqueRemedy, uniqueTitle } from "../../broken-declarations";
import { UniqueEntries } from "../../changes/side-entries";
import { comparisonVersion } from "../../unique-values";
import type { Uncommitted } from "../commit/uncommitted";
import type { PendingEntries, PendingTables, SideEntry } from "./pending-entries";
import { type SideTable, uniqueTableName } from "./side-tables";

/**
 * The values of one unique key in a table. It is a table and not a UNIQUE index, because a failed
 * statement makes the whole group of changes run again, one by one.
 */
export class UniqueTable extends UniqueEntries implements SideTable {
  readonly name: string;
  readonly definition: string;
  readonly title: string;
  readonly remedy = uniqueRemedy;
  readonly columns = "key TEXT PRIMARY KEY, id INTEGER NOT NULL";
  readonly pending: PendingEntries;
  #find: Statement<{ id: number }, [string]> | undefined;

  constructor(
    readonly db: Database,
    uncommitted: Uncommitted,
    resource: Resource,
    key: UniqueKey,
    pending: PendingTables,
  ) {
    super(uncommitted, resource, key);
    this.name = uniqueTableName(resource.plural, key.name);
    this.pending = pending.of(this.name);
    this.title = uniqueTitle(resource.name, key);
    this.definition = JSON.stringify([comparisonVersion, key.within, key.ignoreCase]);
  }

  entriesOf(record: object, id: number): SideEntry[] {
    const value = this.valueOf(record);
    return value === null ? [] : [{ key: value, id }];
  }

  refusal({ key, id }: SideEntry, isNew: boolean): string | undefined {
    return isNew ? undefined : equalRecords(this.resource, this.get(key as string), id);
  }

  get(value: string): number | undefined {
    const states = this.pending.of(value);
    for (const [id, isHeld] of states) if (isHeld) return id;
    this.#find ??= this.db.prepare(`SELECT id FROM "${this.name}" WHERE key = ?`);
    const id = this.#find.get(value)?.id;
    return id === undefined || states.get(id) === false ? undefined : id;
  }
}
