import type { Database } from "bun:sqlite";
import { filtersOf } from "../../schema/filter";
import type { Resource } from "../../schema/resource";
import { jsonPath, storedField } from "./list-keys";
import type { OnBuilt } from "./side-tables";

/** A table that a list reads besides that of the records, for what an index of SQLite cannot do. Triggers keep it in each commit. */
export interface ListTable {
  readonly name: string;
  /** Describes it in the log. */
  readonly title: string;
  /** The path of the array whose elements it has. Undefined for the full-text search. */
  readonly path?: string;
  /** SQL statements that create the table and its triggers. */
  readonly creation: readonly string[];
  /** SQL that adds the records whose ids are greater than `$from` and at most `$to`. */
  readonly fill: string;
}

export const listTablesSchema = `
  -- Tables that the lists of a resource need besides the records. They have the records up to the id filledTo, and the ones written since.
  CREATE TABLE warren_list_tables (
    name TEXT PRIMARY KEY, resource TEXT NOT NULL, creation TEXT NOT NULL, filledTo INTEGER NOT NULL, lastId INTEGER NOT NULL
  ) STRICT;
`;

/** Number of records to add in one transaction. */
const batch = 10_000;

/** Returns the tables of the array elements of those fields whose filter `contains` has an index. */
export function elementTables({ name: resource, plural, filters, indexes }: Resource): (ListTable & { readonly path: string })[] {
  const arrays = indexes.filter((path) => filtersOf(filters[path]).includes("contains"));
  return arrays.map((path) => {
    const name = `${plural}.${path}[]`;
    const elements = (json: string) => `FROM json_each(${json}, '${jsonPath(path)}') WHERE value NOT NULL`;
    const add = `INSERT OR IGNORE INTO "${name}" SELECT value, new.id ${elements("new.json")}`;
    const remove = `DELETE FROM "${name}" WHERE id = old.id AND value IN (SELECT value ${elements("old.json")})`;
    return {
      name,
      title: `The index "${path}" of "${resource}"`,
      path,
      creation: [
        `CREATE TABLE "${name}" (value ANY NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (value, id)) STRICT, WITHOUT ROWID`,
        ...triggers(name, plural, [path], { add, remove }),
      ],
      fill: `INSERT OR IGNORE INTO "${name}" SELECT each.value, record.id FROM "${plural}" AS record, json_each(record.json, '${jsonPath(path)}') AS each
        WHERE record.id > $from AND record.id <= $to AND each.value NOT NULL`,
    };
  });
}

/** Returns the table of the full-text search. Undefined if the resource has none. */
export function searchTable({ name: resource, plural, search }: Resource): ListTable | undefined {
  if (search.length === 0) return undefined;
  // The space prevents a conflict with the name of an index or a resource.
  const name = `${plural} search`;
  const columns = search.map((_, index) => `c${index}`).join(", ");
  const values = (json?: string) => search.map((path) => storedField(path, json)).join(", ");
  return {
    name,
    title: `The search of "${resource}"`,
    creation: [
      // Contentless: the text itself is stored in the record only.
      `CREATE VIRTUAL TABLE "${name}" USING fts5(${columns}, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')`,
      ...triggers(name, plural, search, {
        add: `INSERT INTO "${name}" (rowid, ${columns}) VALUES (new.id, ${values("new.json")})`,
        remove: `DELETE FROM "${name}" WHERE rowid = old.id`,
      }),
    ],
    fill: `INSERT OR REPLACE INTO "${name}" (rowid, ${columns}) SELECT id, ${values()} FROM "${plural}" WHERE id > $from AND id <= $to`,
  };
}

function triggers(name: string, plural: string, paths: readonly string[], { add, remove }: { add: string; remove: string }): string[] {
  const isChanged = paths.map((path) => `${storedField(path, "old.json")} IS NOT ${storedField(path, "new.json")}`).join(" OR ");
  return [
    `CREATE TRIGGER "${name} insert" AFTER INSERT ON "${plural}" BEGIN ${add}; END`,
    `CREATE TRIGGER "${name} update" AFTER UPDATE OF json ON "${plural}" WHEN ${isChanged} BEGIN ${remove}; ${add}; END`,
    `CREATE TRIGGER "${name} delete" AFTER DELETE ON "${plural}" BEGIN ${remove}; END`,
  ];
}

/**
 * Creates the missing tables for the lists of a resource with its existing records, and drops those no longer needed. Adds the
 * records in batches, and goes on after an interruption.
 */
export function keepListTables(db: Database, resource: Resource, onBuilt: OnBuilt): void {
  const wanted = listTables(resource);
  const present = db
    .query<{ name: string; creation: string }, [string]>("SELECT name, creation FROM warren_list_tables WHERE resource = ?")
    .all(resource.plural);
  const isSame = (one: { name: string; creation: string }, { name, creation }: ListTable) =>
    one.name === name && one.creation === textOf(creation);
  for (const one of present) if (!wanted.some((table) => isSame(one, table))) drop(db, one.name);
  for (const table of wanted) {
    if (!present.some((one) => isSame(one, table))) create(db, resource, table);
    fill(db, table, onBuilt);
  }
}

function drop(db: Database, name: string): void {
  db.transaction(() => {
    for (const change of ["insert", "update", "delete"]) db.run(`DROP TRIGGER IF EXISTS "${name} ${change}"`);
    db.run(`DROP TABLE IF EXISTS "${name}"`);
    db.run("DELETE FROM warren_list_tables WHERE name = ?", [name]);
  }).immediate();
}

function create(db: Database, { plural }: Resource, { name, creation }: ListTable): void {
  db.transaction(() => {
    for (const sql of creation) db.run(sql);
    const { last } = db.query<{ last: number }, []>(`SELECT coalesce(max(id), 0) AS last FROM "${plural}"`).get() ?? { last: 0 };
    db.run("INSERT INTO warren_list_tables VALUES (?, ?, ?, 0, ?)", [name, plural, textOf(creation), last]);
  }).immediate();
}

/** Adds the records from before the table was created. Its triggers have added the others. */
function fill(db: Database, { name, title, fill }: ListTable, onBuilt: OnBuilt): void {
  const state = db.query<{ filledTo: number; lastId: number }, [string]>("SELECT filledTo, lastId FROM warren_list_tables WHERE name = ?");
  let { filledTo, lastId } = state.get(name) ?? { filledTo: 0, lastId: 0 };
  while (filledTo < lastId) {
    const bindings = { from: filledTo, to: Math.min(filledTo + batch, lastId) };
    filledTo = bindings.to;
    db.transaction(() => {
      db.query(fill).run(bindings);
      db.run("UPDATE warren_list_tables SET filledTo = ? WHERE name = ?", [filledTo, name]);
    }).immediate();
    onBuilt(title, filledTo);
  }
}

function textOf(creation: readonly string[]): string {
  return creation.join(";\n");
}

function listTables(resource: Resource): ListTable[] {
  const search = searchTable(resource);
  return [...elementTables(resource), ...(search ? [search] : [])];
}
