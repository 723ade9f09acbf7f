import type { PostgresAddress } from "../../../config/postgres-url";
import type { Resource } from "../../../schema/resource";
import { PostgresError } from "../connection/errors";
import type { Database, Queries } from "../connection/queries";
import { lockKey } from "../schema/migrations";

/** Returns SQL that creates the table of a resource, and the sequence of its ids. */
function creationOf(plural: string): string[] {
  return [
    // With room in each page, so that an update stays in it and need not change the index.
    `CREATE TABLE "${plural}" (id bigint PRIMARY KEY, version int NOT NULL, shape smallint NOT NULL, json text NOT NULL) WITH (fillfactor = 90)`,
    `CREATE SEQUENCE "${plural}.ids" INCREMENT BY 100`,
  ];
}

/**
 * Creates the tables of resources that have none yet. Of several processes, one does it, and the others wait for it.
 *
 * @throws {Error} if the role may not do it, or the plural of a resource was changed and its records are in the table of the earlier one.
 */
export async function keepResourceTables(
  database: Pick<Database, "query" | "transaction">,
  address: PostgresAddress,
  resources: readonly Resource[],
): Promise<void> {
  if ((await missingTables(database, resources)).length === 0) return;
  try {
    await database.transaction(async (queries) => {
      await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(address.schema, "migrate"));
      const missing = await missingTables(queries, resources);
      await checkPlurals(queries, missing);
      for (const { name, plural } of missing) {
        for (const statement of creationOf(plural)) await queries.script(statement);
        await queries.query("INSERT INTO warren_tables VALUES ($1, $2) ON CONFLICT (resource) DO UPDATE SET plural = $2", name, plural);
      }
    });
  } catch (error) {
    if (!(error instanceof PostgresError && error.sqlState === "42501")) throw error;
    throw mayNotCreate(error, address, await missingTables(database, resources));
  }
}

/** Not by `to_regclass`: while a session waits for an advisory lock, it goes on to remember that a table was not there. */
async function missingTables({ query }: Pick<Queries, "query">, resources: readonly Resource[]): Promise<Resource[]> {
  const rows = await query<{ plural: string }>(
    `SELECT q.plural FROM unnest($1::text[]) q(plural)
     WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.relname = q.plural AND c.relnamespace = current_schema()::regnamespace)`,
    resources.map(({ plural }) => plural),
  );
  const missing = new Set(rows.map(({ plural }) => plural));
  return resources.filter(({ plural }) => missing.has(plural));
}

/** @throws {Error} if a resource without a table has records in another one. With an empty table, it would use their ids again. */
async function checkPlurals({ query }: Queries, missing: readonly Resource[]): Promise<void> {
  for (const { name, plural } of missing) {
    const [before] = await query<{ plural: string }>(
      "SELECT plural FROM warren_tables WHERE resource = $1 AND plural <> $2 AND to_regclass(quote_ident(plural)) IS NOT NULL",
      name,
      plural,
    );
    if (!before || (await query(`SELECT 1 FROM "${before.plural}" LIMIT 1`)).length === 0) continue;
    throw new Error(
      `Resource "${name}": its plural was changed to "${plural}", but its records are in a table with the earlier plural ` +
        `("${before.plural}"). Set \`plural\` back to that.`,
    );
  }
}

function mayNotCreate(cause: PostgresError, { shown, schema, user }: PostgresAddress, missing: readonly Resource[]): Error {
  const names = missing.map(({ plural }) => `"${plural}"`).join(", ");
  const statements = missing.flatMap(({ name, plural }) => [
    ...creationOf(plural),
    `INSERT INTO warren_tables VALUES ('${name}', '${plural}')`,
  ]);
  return new Error(
    `The role "${user}" may not create tables in the schema "${schema}" in ${shown}, which lacks ${names} (${cause.message}). ` +
      `Start the service once as a role that may, or run as the owner, with search_path = "${schema}": ${statements.join("; ")}`,
    { cause },
  );
}
