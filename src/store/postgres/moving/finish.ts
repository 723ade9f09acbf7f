import type { MoveSource } from "../../moving/move-source";
import { type RecordsTable, type SmallKind, smallColumns } from "../../moving/moved-tables";
import type { Queries, TransactionQueries } from "../connection/queries";
import { checksumOf, checksumSql } from "./checksum";
import { columnValues, namesOf, rowsFrom, smallTable } from "./sql-tables";

/** Copies what is left, sets positions and ids to those of the source, and makes the schema valid. */
export async function finishMove(queries: TransactionQueries, source: MoveSource): Promise<void> {
  const { query, script } = queries;
  const { logId, pruned, relayed, end } = source.state;
  for (const kind of Object.keys(smallColumns) as SmallKind[]) await copySmall(queries, source, kind);
  await query("UPDATE meta SET log_id = $1, pruned_to = $2", logId, pruned);
  await query("UPDATE relay SET position = $1", relayed);
  await query("SELECT setval('warren_events_position', $1::bigint, false)", end + 1);
  for (const table of ["idempotency_keys", "warren_timers", "warren_schedules"])
    await query(`SELECT setval(pg_get_serial_sequence('${table}', 'number'), coalesce(max(number), 0) + 1, false) FROM ${table}`);
  for (const { table } of source.tables) if (table.kind === "records") await noteRecords(queries, table);
  await script("DROP TABLE warren_unfinished_move");
}

/** Copies a table of few rows, and reads it again. */
async function copySmall({ query }: Queries, source: MoveSource, kind: SmallKind): Promise<void> {
  const table = smallTable(kind);
  const rows = source.small(kind);
  await query(`DELETE FROM ${table.name}`);
  await query(`INSERT INTO ${table.name} (${namesOf(table)}) SELECT * FROM ${rowsFrom(table, 1)}`, ...columnValues(table, rows));
  const [sum] = await query<{ rows: number; sum: string }>(checksumSql(table, "true"));
  if (sum?.rows !== rows.length || sum.sum !== checksumOf(table, rows)) throw new Error(`What was copied to ${table.name} differs.`);
}

/** Lets new records have ids above those that were ever used, and notes the shape of those that moved. */
async function noteRecords({ query }: Queries, { resource, shape, lastId }: RecordsTable): Promise<void> {
  await query("INSERT INTO warren_resources (name, shape, upcast_to, floor) VALUES ($1, $2, $2, $3)", resource.name, shape, lastId);
  await query("SELECT setval(quote_ident($1)::regclass, $2::bigint, false)", `${resource.plural}.ids`, lastId + 1);
}
