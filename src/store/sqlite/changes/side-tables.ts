import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import { brokenDeclaration, mostNamed, type OnBuilt } from "../../broken-declarations";
import type { Stored } from "../../stored";
import { newestVersionOf } from "../../upcasting";
import { recordBatches } from "../records/record-batches";
import type { PendingEntries, SideEntry } from "./pending-entries";

export function uniqueTableName(plural: string, key: string): string {
  return `${plural}:unique:${key}`;
}

export function referenceTableName(plural: string, path: string): string {
  return `${plural}:references:${path}`;
}

export function elementTableName(plural: string, path: string): string {
  return `${plural}:elements:${path}`;
}

export function searchTableName(plural: string): string {
  return `${plural}:search`;
}

/** A table that is derived from the records of a resource, such as the values of a unique key. */
export interface SideTable {
  /** Contains a colon, so that it is no resource's name. */
  readonly name: string;
  readonly resource: Resource;
  /** SQL of its columns `key` and `id`. */
  readonly columns: string;
  /** The committed changes that are not in the table yet. */
  readonly pending: PendingEntries;
  /** Changes when the same records would give other entries. */
  readonly definition: string;
  /** Describes the declaration in error messages: `The unique key "email" of "user"`. */
  readonly title: string;
  entriesOf(record: object, id: number): readonly SideEntry[];
  /** Returns why a stored record breaks the declaration, or undefined if it does not. `isNew` is false if its key was already there. */
  refusal(entry: SideEntry, isNew: boolean): string | undefined;
  /** Advice about refused records, for error messages. */
  readonly remedy: string;
}

export const sideTablesSchema = `
  -- The tables derived from records, with what they were made from. Empty: the table is not complete.
  CREATE TABLE warren_side_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT;
`;

/** Version of the form of side tables. Increase it when it changes, so that they are built again. */
const format = 2;
/** Maximum number of records per transaction. Entries are sorted within it, so that it writes each page of the table once. */
const batch = 20_000;

/**
 * Drops the side tables that are no longer declared, and builds those that are new or were made from something else. An
 * interrupted build starts again.
 *
 * @throws {Error} if stored records break a declaration. The message names some and says what to do.
 */
export function keepSideTables(db: Database, tables: readonly SideTable[], onBuilt: OnBuilt): void {
  const known = new Map(
    db
      .query<{ name: string; definition: string }, []>("SELECT name, definition FROM warren_side_tables")
      .all()
      .map(({ name, definition }) => [name, definition]),
  );
  for (const name of known.keys()) if (!tables.some((table) => table.name === name)) drop(db, name);
  const refusals = tables.flatMap((table) => {
    const definition = `${format} ${newestVersionOf(table.resource)} ${table.definition}`;
    return known.get(table.name) === definition ? [] : build(db, table, definition, onBuilt);
  });
  if (refusals.length > 0) throw new Error(refusals.join("\n"));
}

function drop(db: Database, name: string): void {
  db.transaction(() => {
    db.run("DELETE FROM warren_side_tables WHERE name = ?", [name]);
    db.run(`DROP TABLE IF EXISTS "${name}"`);
  }).immediate();
}

/** Returns a text about the records that the declaration refuses, or nothing if there are none. */
function build(db: Database, table: SideTable, definition: string, onBuilt: OnBuilt): string[] {
  const note = db.prepare("INSERT OR REPLACE INTO warren_side_tables VALUES (?, ?)");
  drop(db, table.name);
  db.transaction(() => {
    db.run(`CREATE TABLE "${table.name}" (${table.columns}) STRICT, WITHOUT ROWID`);
    note.run(table.name, "");
  }).immediate();
  const insert = db.prepare(`INSERT OR IGNORE INTO "${table.name}" VALUES (?, ?)`);
  const refused: string[] = [];
  let built = 0;
  const add = db.transaction((rows: readonly Stored[]) => {
    const entries = rows.flatMap(({ id, json }) => table.entriesOf(JSON.parse(json) as object, id));
    for (const entry of entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id))) {
      const { changes } = insert.run(entry.key, entry.id);
      const refusal = table.refusal(entry, changes > 0);
      if (refusal !== undefined && refused.push(refusal) === mostNamed) return;
    }
  });
  for (const rows of recordBatches(db, table.resource, batch)) {
    add.immediate(rows);
    if (refused.length === mostNamed) break;
    built += rows.length;
    if (built % batch === 0) onBuilt(table.title, built);
  }
  if (refused.length === 0) {
    note.run(table.name, definition);
    return [];
  }
  drop(db, table.name);
  return brokenDeclaration(table.title, refused, table.remedy);
}
