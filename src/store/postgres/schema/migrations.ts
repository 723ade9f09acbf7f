import type { PostgresAddress } from "../../../config/postgres-url";
import { CannotOpenStore } from "../../errors";
import type { Advice } from "../../inspection";
import { PostgresError } from "../connection/errors";
import type { Database, Queries, TransactionQueries } from "../connection/queries";
import { causeSchema, logSchema } from "./log-schema";
import { queueSchema } from "./queue-schema";
import { answerLivesSchema, functionSchema, recordSchema } from "./record-schema";
import { lackedRights } from "./rights";
import { scheduleSchema } from "./schedule-schema";
import { obstaclesOf } from "./server";
import { slotSchema } from "./slot-schema";
import { timerIndexes, timerSchema } from "./timer-schema";
import { refuseUnfinished } from "./unfinished-move";

/**
 * SQL scripts, each of which upgrades a schema by one version. Append only: a released entry never changes. Old processes go on
 * beside a new one, so a script may add tables, columns and functions, and must not take away what they use.
 *
 * @param schema name of the PostgreSQL schema, for functions that set their own `search_path`.
 */
export type Migrations = readonly ((schema: string) => string)[];

export const storeMigrations: Migrations = [
  (schema) => [logSchema(schema), recordSchema, slotSchema(schema), queueSchema].join("\n"),
  () => causeSchema,
  () => timerSchema,
  () => answerLivesSchema,
  () => functionSchema,
  () => timerIndexes,
  () => scheduleSchema,
];

/** How long to wait for another process that migrates, and how long a migration may take, in milliseconds. */
const patienceMs = 30 * 60_000;

/**
 * Creates the schema, or upgrades it to the newest version. Of several processes, one does it, and the others wait for it.
 *
 * @param versionOf finds the version of the schema. Default: {@link schemaVersionOf}, so that a store that is still moving is not served.
 * @throws {Error} if the server is too old, a newer program wrote the schema, or the role may not do it.
 */
export async function migrate(
  database: Database,
  address: PostgresAddress,
  migrations: Migrations,
  versionOf: typeof schemaVersionOf = schemaVersionOf,
): Promise<void> {
  const [obstacle] = await obstaclesOf(database, address);
  refuse(obstacle ?? (await lackedRights(database, address)));
  // Take no lock if there is nothing to do, so that a role without the right to change the schema can start.
  const version = await versionOf(database);
  if (version === migrations.length) return;
  try {
    await database.transaction((queries) => upgrade(queries, address, migrations, versionOf), { statementMs: patienceMs });
  } catch (error) {
    if (!(error instanceof PostgresError && error.sqlState === "42501")) throw error;
    throw mayNotUpgrade(error, address, `${version} of ${migrations.length}`);
  }
}

async function upgrade(
  queries: TransactionQueries,
  address: PostgresAddress,
  migrations: Migrations,
  versionOf: typeof schemaVersionOf,
): Promise<void> {
  const { query, script } = queries;
  await query("SELECT set_config('lock_timeout', $1, true)", String(patienceMs));
  await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(address.schema, "migrate"));
  await query("SELECT set_config('lock_timeout', $1, true)", "10000");
  const there = await query("SELECT 1 FROM pg_namespace WHERE nspname = $1", address.schema);
  if (there.length === 0) await script(`CREATE SCHEMA "${address.schema}"`);
  const version = await versionOf(queries);
  refuseNewer(version, address, migrations);
  if (version === 0)
    await script("CREATE TABLE warren_schema_version (version int NOT NULL); INSERT INTO warren_schema_version VALUES (0)");
  for (const migration of migrations.slice(version)) await script(migration(address.schema));
  await query("UPDATE warren_schema_version SET version = $1", migrations.length);
}

/**
 * Resolves with the version of the schema, or with 0 if it does not exist yet.
 *
 * @throws {Error} if a store is moving to the schema, so that only a part of its data is there.
 */
export async function schemaVersionOf(queries: Queries): Promise<number> {
  await refuseUnfinished(queries);
  return versionIn(queries);
}

/** Resolves with the version of the schema, whatever is there of its data. */
export async function versionIn({ query }: Queries): Promise<number> {
  const [{ there } = { there: false }] = await query<{ there: boolean }>(
    "SELECT to_regclass('warren_schema_version') IS NOT NULL AS there",
  );
  if (!there) return 0;
  const [row] = await query<{ version: number }>("SELECT version FROM warren_schema_version");
  return row?.version ?? 0;
}

/** @throws {Error} if a newer program wrote the schema. */
export function refuseNewer(version: number, { shown, schema }: PostgresAddress, migrations: Migrations): void {
  if (version <= migrations.length) return;
  throw new CannotOpenStore(
    `The schema "${schema}" in ${shown} has version ${version}, but this program knows versions up to ${migrations.length}: ` +
      "it was last used by a newer version of Warren. Start that version, or set another schema in DATABASE_URL.",
  );
}

/** Returns the key of an advisory lock, as text, since it does not fit a number. Each schema has locks of its own. */
export function lockKey(schema: string, purpose: "migrate" | "commit" | "ids"): string {
  const hash = new Bun.CryptoHasher("sha256").update(`warren ${purpose} ${schema}`).digest();
  return hash.readBigInt64BE().toString();
}

/** @throws {Error} if there is a problem. */
function refuse(problem: Advice | undefined): void {
  if (problem) throw new CannotOpenStore(`${problem.what}. ${problem.todo}`);
}

function mayNotUpgrade(cause: PostgresError, { shown, schema, database, user }: PostgresAddress, version: string): Error {
  return new CannotOpenStore(
    `The role "${user}" may not create or upgrade the schema "${schema}" in ${shown}, which has version ${version} (${cause.message}). ` +
      `Start the service once as a role that may, or grant this one the right: GRANT CREATE ON DATABASE "${database}" TO "${user}" for a new ` +
      `schema. An existing schema is upgraded by its owner.`,
    { cause },
  );
}
