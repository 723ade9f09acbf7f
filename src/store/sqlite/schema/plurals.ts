import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";

/**
 * Checks that each resource that was here before still has its table, before new tables are created. A table is named after the plural.
 *
 * @throws {Error} if the plural of a resource was changed and a table of no resource has records. With an empty table, the service
 *   would seem to have lost them, and would use their ids again.
 */
export function checkPlurals(db: Database, resources: readonly Resource[]): void {
  const present = columnsOfTables(db);
  const resource = resources.find(({ name, plural }) => !present.has(plural) && isKnown(db, present, name));
  if (!resource) return;
  const plurals = new Set(resources.map(({ plural }) => plural));
  const left = recordTablesIn(db).filter((table) => !plurals.has(table));
  const full = left.filter((table) => db.query(`SELECT 1 FROM "${table}" LIMIT 1`).get() !== null);
  if (full.length === 0) return;
  throw new Error(
    `Resource "${resource.name}": its plural was changed to "${resource.plural}", but its records are in a table with the earlier plural ` +
      `(${full.map((table) => `"${table}"`).join(" or ")}). Set \`plural\` back to that.`,
  );
}

/** Returns the names of the tables with records, also of those of resources that are no longer declared. */
export function recordTablesIn(db: Database): string[] {
  return [...columnsOfTables(db)].flatMap(([table, columns]) => (columns === "id,version,json" ? table : []));
}

/** Returns the names of the columns of each table, separated by commas. */
function columnsOfTables(db: Database): Map<string, string> {
  const tables = db.query<{ name: string; columns: string }, []>(
    `SELECT part.name, group_concat(field.name) AS columns FROM sqlite_schema AS part, pragma_table_info(part.name) AS field
     WHERE part.type = 'table' GROUP BY part.name`,
  );
  return new Map(tables.all().map(({ name, columns }) => [name, columns]));
}

/** Returns whether an earlier start had the resource. */
function isKnown(db: Database, present: ReadonlyMap<string, string>, name: string): boolean {
  if (!present.has("warren_record_versions")) return false;
  return db.query("SELECT 1 FROM warren_record_versions WHERE resource = ?").get(name) !== null;
}
