import type { PostgresAddress } from "../../../config/postgres-url";
import { CannotOpenStore } from "../../errors";
import { PostgresError } from "../connection/errors";
import type { Database, Queries, TransactionQueries } from "../connection/queries";
import { lockKey, migrate, refuseNewer, storeMigrations } from "../schema/migrations";
import { consumerMigrations } from "./schema";
import { schemaNameOf } from "./schema-name";

/** How long to wait for another process that does the same, in milliseconds. */
const patienceMs = 60_000;

/**
 * Creates the schema of a queue, or upgrades it to the newest version, and the schema of the service if there is none. Of several
 * processes, one does it. Resolves with the name of the queue's schema.
 *
 * @param versionOf finds the version of the service's schema. Default: as for {@link migrate}.
 * @throws {Error} if a newer program wrote the schema, or the role may not do it.
 */
export async function keepQueueSchema(
  database: Database,
  address: PostgresAddress,
  queue: string,
  versionOf?: Parameters<typeof migrate>[3],
): Promise<string> {
  await migrate(database, address, storeMigrations, versionOf);
  const schema = schemaNameOf(address.schema, queue);
  const own = { ...address, schema };
  const version = await queueVersion(database.writer, own.schema);
  refuseNewer(version, own, consumerMigrations);
  if (version < consumerMigrations.length || !(await isKnown(database, queue))) {
    try {
      await database.transaction((queries) => upgrade(queries, own, queue), { statementMs: patienceMs });
    } catch (error) {
      if (!(error instanceof PostgresError && error.sqlState === "42501")) throw error;
      throw mayNot(error, own, queue);
    }
  }
  return schema;
}

async function upgrade({ query, script }: TransactionQueries, address: PostgresAddress, queue: string): Promise<void> {
  const { schema } = address;
  await query("SELECT set_config('lock_timeout', $1, true)", String(patienceMs));
  await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(schema, "migrate"));
  await query("INSERT INTO warren_consumers (queue, schema) VALUES ($1, $2) ON CONFLICT DO NOTHING", queue, schema);
  const there = await query("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema);
  if (there.length === 0) await script(`CREATE SCHEMA "${schema}"`);
  await query("SELECT set_config('search_path', $1, true)", `"${schema}"`);
  const version = await queueVersion({ query }, schema);
  refuseNewer(version, address, consumerMigrations);
  if (version === 0)
    await script("CREATE TABLE warren_schema_version (version int NOT NULL); INSERT INTO warren_schema_version VALUES (0)");
  for (const migration of consumerMigrations.slice(version)) await script(migration(schema));
  await query("UPDATE warren_schema_version SET version = $1", consumerMigrations.length);
}

async function queueVersion({ query }: Queries, schema: string): Promise<number> {
  const [found] = await query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", `"${schema}".warren_schema_version`);
  if (!found?.there) return 0;
  const [row] = await query<{ version: number }>(`SELECT version FROM "${schema}".warren_schema_version`);
  return row?.version ?? 0;
}

async function isKnown({ writer }: Database, queue: string): Promise<boolean> {
  return (await writer.query("SELECT 1 FROM warren_consumers WHERE queue = $1", queue)).length > 0;
}

function mayNot(cause: PostgresError, { shown, schema, database, user }: PostgresAddress, queue: string): Error {
  return new CannotOpenStore(
    `The role "${user}" may not create or upgrade the schema "${schema}" for the queue "${queue}" in ${shown} (${cause.message}). ` +
      `Start the consumer once as a role that may, or grant this one the right: GRANT CREATE ON DATABASE "${database}" TO "${user}". ` +
      "An existing schema is upgraded by its owner.",
    { cause },
  );
}
