import { Database } from "bun:sqlite";
import type { Resource } from "warren/resource";
import { stepsOf, valuesAt } from "../../src/schema/path-values";
import { uniqueValueOf } from "../../src/store/unique-values";

type Entries = Set<string>;
const entry = (key: unknown, id: number) => JSON.stringify([key, id]);

/**
 * Returns the tables of unique keys and references in a SQLite file that do not agree with the stored records, once the journal is
 * merged into them, and the names of those that nobody has declared.
 */
export function wrongSideTables(file: string, resources: readonly Resource[]): string[] {
  const db = new Database(file, { readonly: true });
  try {
    const wanted = new Map(resources.flatMap((resource) => [...expected(db, resource)]));
    const present = db
      .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*:*'")
      .all()
      .map(({ name }) => name);
    const names = new Set([...wanted.keys(), ...present.filter((name) => /:(unique|references):/.test(name))]);
    return [...names].filter((name) => {
      const [want, have] = [wanted.get(name), present.includes(name) ? stored(db, name) : undefined];
      return !want || !have || want.size !== have.size || [...want].some((one) => !have.has(one));
    });
  } finally {
    db.close();
  }
}

function expected(db: Database, { plural, unique, references }: Resource): Map<string, Entries> {
  const records = db
    .query<{ id: number; json: string }, []>(`SELECT id, json FROM "${plural}"`)
    .all()
    .map(({ id, json }) => ({ id, record: JSON.parse(json) as object }));
  const tables = new Map<string, Entries>();
  for (const key of unique) {
    const hash = uniqueValueOf(key);
    const held = records.flatMap(({ id, record }) => {
      const value = hash(record);
      return value === null ? [] : { value, id };
    });
    if (new Set(held.map(({ value }) => value)).size < held.length) throw new Error(`${plural} has two records with the same ${key.name}`);
    tables.set(`${plural}:unique:${key.name}`, new Set(held.map(({ value, id }) => entry(value, id))));
  }
  for (const { path } of references) {
    const steps = stepsOf(path);
    const entries = records.flatMap(({ id, record }) => valuesAt(record, steps).map(({ value }) => entry(value, id)));
    tables.set(`${plural}:references:${path}`, new Set(entries));
  }
  return tables;
}

function stored(db: Database, name: string): Entries {
  const rows = db.query<{ key: unknown; id: number }, []>(`SELECT key, id FROM "${name}"`).all();
  const entries = new Set(rows.map(({ key, id }) => entry(key, id)));
  const journal = db.query<{ changes: string }, []>("SELECT changes FROM warren_side_journal ORDER BY number").all();
  for (const { changes } of journal) {
    for (const [table, key, id, isHeld] of JSON.parse(changes) as [string, unknown, number, 0 | 1][]) {
      if (table !== name) continue;
      if (isHeld) entries.add(entry(key, id));
      else entries.delete(entry(key, id));
    }
  }
  return entries;
}
