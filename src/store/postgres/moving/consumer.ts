import type { PostgresAddress } from "../../../config/postgres-url";
import { type ConsumerMove, type ConsumerMoveSource, type ConsumerTable, consumerColumns } from "../../moving/consumer-move";
import type { Database, TransactionQueries } from "../connection/queries";
import { keepQueueSchema } from "../consumer/schema-keeper";
import { schemaNameOf } from "../consumer/schema-name";
import { PostgresConsumerStore } from "../consumer/store";
import { schemaVersionOf, versionIn } from "../schema/migrations";
import { checksumOf, checksumSql } from "./checksum";
import { addRows, consumerTable, storedRows } from "./consumer-tables";
import { misfit } from "./misfit";
import { copyOwnTables } from "./own-tables";

/** How long a statement of a move may take, in milliseconds. */
const patienceMs = 30 * 60_000;

/**
 * Copies what a consumer keeps to the schema of its queue, in one transaction, and compares it.
 *
 * @param fence fails if another process has taken over. Called in each transaction.
 * @throws {Error} if the consumer has been started with the target, or something cannot move.
 */
export async function moveConsumer(
  database: Database,
  address: PostgresAddress,
  { source, setup, replace }: ConsumerMove,
  fence: (queries: TransactionQueries) => Promise<void>,
): Promise<void> {
  const { queue } = source;
  const schema = schemaNameOf(address.schema, queue);
  if (replace) await drop(database, schema, queue, fence);
  else await refuseUsed(database, address, schema, queue);
  await keepQueueSchema(database, address, queue, versionIn);
  if (setup) {
    const store = new PostgresConsumerStore({ database, place: "", schema, holder: "warren move" }, { durable: true, patienceMs });
    await store.setUp(async (tx) => void (await setup(tx)));
  }
  await database.transaction(
    async (queries) => {
      await fence(queries);
      await queries.query("SELECT set_config('search_path', $1, true)", `"${schema}"`);
      for (const table of Object.keys(consumerColumns) as ConsumerTable[]) await copy(queries, source, table);
      if (setup) await copyOwnTables(queries, schema, source);
    },
    { statementMs: patienceMs },
  );
}

async function drop(
  database: Database,
  schema: string,
  queue: string,
  fence: (queries: TransactionQueries) => Promise<void>,
): Promise<void> {
  await database.transaction(async (queries) => {
    await fence(queries);
    await queries.script(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await queries.query("DELETE FROM warren_consumers WHERE queue = $1", queue);
  });
}

async function refuseUsed({ writer }: Database, { shown }: PostgresAddress, schema: string, queue: string): Promise<void> {
  if ((await schemaVersionOf(writer)) === 0)
    throw new Error(`There is no data of the API in ${shown}. Move the API first, where its file is.`);
  if ((await writer.query("SELECT 1 FROM warren_consumers WHERE queue = $1", queue)).length === 0) return;
  throw new Error(
    `The consumer of "${queue}" has been started with ${shown} before, or was moved to it. To replace what it keeps there, stop it, drop that, ` +
      `and move again: DROP SCHEMA "${schema}" CASCADE; DELETE FROM warren_consumers WHERE queue = '${queue}'`,
  );
}

async function copy(queries: TransactionQueries, source: ConsumerMoveSource, table: ConsumerTable): Promise<void> {
  const to = consumerTable(table);
  const { name: key, from, type } = to.key;
  let after: string | number = type === "text" ? "" : -1;
  let count = 0;
  for (const part of source.parts(table)) {
    const rows = storedRows(table, part);
    for (const row of rows) {
      const why = misfit(to, row);
      if (why !== undefined) throw new Error(`${source.shown}: ${table}: row ${row[from]} cannot be moved, because ${why}.`);
    }
    await addRows(queries, table, rows);
    const last: string | number = rows.at(-1)?.[from] ?? after;
    const range = type === "text" ? `${key} COLLATE "C" > $1 AND ${key} COLLATE "C" <= $2` : `${key} > $1 AND ${key} <= $2`;
    const [sum] = await queries.query<{ rows: number; sum: string }>(checksumSql(to, range), after, last);
    if (sum?.rows !== rows.length || sum.sum !== checksumOf(to, rows))
      throw new Error(`What was copied of "${source.queue}" differs: ${table}.`);
    after = last;
    count += rows.length;
  }
  if (count !== source.rows[table]) throw new Error(`${source.shown} was changed while it was read.`);
  if (to.key.name === "number")
    await queries.query(
      `SELECT setval(pg_get_serial_sequence('${to.name}', 'number'), coalesce(max(number), 0) + 1, false) FROM ${to.name}`,
    );
}
