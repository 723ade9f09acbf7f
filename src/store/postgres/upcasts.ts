import type { RecordTable } from "./changes/record-table";
import type { GroupCommit } from "./commit/group-commit";
import type { Database, Queries } from "./connection/queries";
import { recordColumns, type StoredRow, upToDate } from "./records/stored-row";

/** Number of records that are read or converted at a time. Others wait for the commit of as many. */
const batch = 500;

export interface UpcastMeans {
  readonly database: Database;
  readonly commits: GroupCommit;
  readonly tables: readonly RecordTable[];
  /** Key of the commit lock. */
  readonly lock: string;
}

/**
 * Converts records written by older programs to the newest version of their schema, with the upcasters of events. Older processes may
 * go on: the records that they write are noted, and are converted when they are read until {@link upcastOutdated} does it.
 *
 * @throws {Error} if an upcaster fails on a record, or a newer program wrote the records. Nothing is changed then.
 */
export async function upcastRecords({ database, commits, tables, lock }: UpcastMeans): Promise<void> {
  for (const table of tables) {
    const { resource, layout } = table;
    const state = await stateOf(database, table);
    if (state.shape > layout.shape) {
      throw new Error(
        `The records of "${resource.name}" have schema version ${state.shape}, but this program knows versions up to ${layout.shape}: ` +
          "they were last used by a newer version of the program. Start that version, or set another database in DATABASE_URL.",
      );
    }
    if (state.upcast === layout.shape) continue;
    for await (const rows of olderRows(database, table)) for (const row of rows) upToDate(resource, row);
    await database.transaction(async ({ query }) => {
      // From the next commit on, what older programs write is noted.
      await query("SELECT pg_advisory_xact_lock($1::bigint)", lock);
      await query("UPDATE warren_resources SET shape = $2 WHERE name = $1 AND shape < $2", resource.name, layout.shape);
    });
    for await (const rows of olderRows(database, table)) {
      const [error] = await commits.run(() => table.upcast(rows.map(({ id }) => id)));
      if (error) throw error;
    }
    await database.query("UPDATE warren_resources SET upcast_to = $2 WHERE name = $1 AND upcast_to < $2", resource.name, layout.shape);
  }
}

/**
 * Converts records that older programs have written since all were converted. Only the newest program that has started does it.
 *
 * @throws {Error} if an upcaster fails on a record. The others are converted then.
 */
export async function upcastOutdated({ database, commits, tables }: UpcastMeans): Promise<void> {
  const sql = `SELECT o.id FROM warren_outdated o JOIN warren_resources r ON r.name = o.resource
    WHERE o.resource = $1 AND r.shape = $2 AND o.id > $3 ORDER BY o.id LIMIT ${batch}`;
  const next = async ({ resource: { name }, layout }: RecordTable, after: number) =>
    (await database.query<{ id: number }>(sql, name, layout.shape, after)).map(({ id }) => id);
  const errors: unknown[] = [];
  for (const table of tables)
    for (let ids = await next(table, 0); ids.length > 0; ids = await next(table, ids.at(-1) ?? 0))
      errors.push(...(await commits.run(() => table.upcast(ids))));
  if (errors.length > 0) throw errors[0];
}

/** Resolves with the newest shape of the records, and the one that all were converted to. */
async function stateOf(database: Queries, table: RecordTable): Promise<{ shape: number; upcast: number }> {
  const { name, plural } = table.resource;
  const find = "SELECT shape, upcast_to AS upcast FROM warren_resources WHERE name = $1";
  const { query } = database;
  const [known] = await query<{ shape: number; upcast: number }>(find, name);
  if (known) return known;
  // Without a row, there are no records, or another program has written them.
  const add = `INSERT INTO warren_resources (name, shape, upcast_to) SELECT $1, $2, CASE WHEN EXISTS (SELECT FROM "${plural}") THEN 1 ELSE $2 END
    ON CONFLICT DO NOTHING`;
  await query(add, name, table.layout.shape);
  return stateOf(database, table);
}

async function* olderRows({ query }: Database, { resource: { plural }, layout }: RecordTable): AsyncGenerator<StoredRow[]> {
  const next = `SELECT ${recordColumns} FROM "${plural}" WHERE id > $1 AND shape < $2 ORDER BY id LIMIT ${batch}`;
  for (let last = 0; ; ) {
    const rows = await query<StoredRow>(next, last, layout.shape);
    yield rows;
    if (rows.length < batch) return;
    last = rows.at(-1)?.id ?? last;
  }
}
