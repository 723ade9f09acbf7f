import type { Database } from "bun:sqlite";
import { stepsOf, valueAt } from "../../../schema/path-values";
import type { Resource } from "../../../schema/resource";
import type { OnBuilt } from "../../broken-declarations";
import type { DerivedEntries } from "../../changes/side-entries";
import { newestVersionOf } from "../../upcasting";
import type { Uncommitted, Write } from "../commit/uncommitted";
import { storedField } from "../records/list-keys";
import { searchTableName } from "./side-tables";

export const searchTablesSchema = `
  -- The full-text searches: they have the records up to the id filledTo, of those up to lastId, and all that were written since.
  CREATE TABLE warren_search_tables (
    name TEXT PRIMARY KEY, definition TEXT NOT NULL, filledTo INTEGER NOT NULL, lastId INTEGER NOT NULL
  ) STRICT;
`;

/** Number of records to add in one transaction. */
const batch = 10_000;

/** The words of a resource's records, in a table of FTS5. The text itself is stored in the record only. */
export class SearchTable implements DerivedEntries {
  readonly #paths: readonly ReturnType<typeof stepsOf>[];
  readonly #add: Write;
  readonly #remove: Write;

  constructor(uncommitted: Uncommitted, { plural, search }: Resource) {
    const name = searchTableName(plural);
    this.#paths = search.map(stepsOf);
    // Without SELECT and triggers: each statement that has one makes FTS5 write its words at once, and not at the end of the commit.
    this.#add = uncommitted.prepare(`INSERT INTO "${name}" (rowid, ${columnsOf(search)}) VALUES (?, ${search.map(() => "?").join(", ")})`);
    this.#remove = uncommitted.prepare(`DELETE FROM "${name}" WHERE rowid = ?`);
  }

  apply(id: number, before: object | undefined, after: object | undefined): void {
    const [old, now] = [before && this.#textsIn(before), after && this.#textsIn(after)];
    if (old && now && old.every((text, index) => text === now[index])) return;
    if (old) this.#remove(id);
    if (now) this.#add(id, ...now);
  }

  #textsIn(record: object): (string | null)[] {
    return this.#paths.map((steps) => valueAt(record, steps) as string | null);
  }
}

/**
 * Creates the search tables of resources, with their existing records, and drops those no longer declared. Adds the records in
 * batches, and goes on after an interruption.
 */
export function keepSearchTables(db: Database, resources: readonly Resource[], onBuilt: OnBuilt): void {
  const wanted = resources.filter(({ search }) => search.length > 0);
  const present = db.query<{ name: string; definition: string }, []>("SELECT name, definition FROM warren_search_tables").all();
  const isSame = (one: (typeof present)[number], resource: Resource) =>
    one.name === searchTableName(resource.plural) && one.definition === definitionOf(resource);
  for (const one of present) if (!wanted.some((resource) => isSame(one, resource))) drop(db, one.name);
  for (const resource of wanted) {
    if (!present.some((one) => isSame(one, resource))) create(db, resource);
    fill(db, resource, onBuilt);
  }
}

function drop(db: Database, name: string): void {
  db.transaction(() => {
    db.run(`DROP TABLE IF EXISTS "${name}"`);
    db.run("DELETE FROM warren_search_tables WHERE name = ?", [name]);
  }).immediate();
}

function create(db: Database, resource: Resource): void {
  const name = searchTableName(resource.plural);
  db.transaction(() => {
    db.run(creationOf(resource));
    const { last } = db.query<{ last: number }, []>(`SELECT coalesce(max(id), 0) AS last FROM "${resource.plural}"`).get() ?? { last: 0 };
    db.run("INSERT INTO warren_search_tables VALUES (?, ?, 0, ?)", [name, definitionOf(resource), last]);
  }).immediate();
}

function fill(db: Database, { name: resource, plural, search }: Resource, onBuilt: OnBuilt): void {
  const name = searchTableName(plural);
  const state = db.query<{ filledTo: number; lastId: number }, [string]>(
    "SELECT filledTo, lastId FROM warren_search_tables WHERE name = ?",
  );
  const add = `INSERT INTO "${name}" (rowid, ${columnsOf(search)}) SELECT id, ${search.map((path) => storedField(path)).join(", ")}
    FROM "${plural}" WHERE id > $from AND id <= $to`;
  let { filledTo, lastId } = state.get(name) ?? { filledTo: 0, lastId: 0 };
  while (filledTo < lastId) {
    const bindings = { from: filledTo, to: Math.min(filledTo + batch, lastId) };
    filledTo = bindings.to;
    db.transaction(() => {
      db.query(add).run(bindings);
      db.run("UPDATE warren_search_tables SET filledTo = ? WHERE name = ?", [filledTo, name]);
    }).immediate();
    onBuilt(`The search of "${resource}"`, filledTo);
  }
}

/** Changes when the same records would give another table. */
function definitionOf(resource: Resource): string {
  return `${newestVersionOf(resource)} ${resource.search.join(",")} ${creationOf(resource)}`;
}

function creationOf({ plural, search }: Resource): string {
  const tokenizer = "unicode61 remove_diacritics 2";
  return `CREATE VIRTUAL TABLE "${searchTableName(plural)}" USING fts5(${columnsOf(search)}, content='', contentless_delete=1, tokenize='${tokenizer}')`;
}

function columnsOf(search: readonly string[]): string {
  return search.map((_, index) => `c${index}`).join(", ");
}
