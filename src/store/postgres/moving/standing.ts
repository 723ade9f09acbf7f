import type { PostgresAddress } from "../../../config/postgres-url";
import type { SourceState } from "../../moving/move-source";
import type { MoveStanding } from "../../moving/move-target";
import type { Queries } from "../connection/queries";
import { versionIn } from "../schema/migrations";
import { unfinishedMove } from "../schema/unfinished-move";

/**
 * Resolves with what is in a schema.
 *
 * @throws {Error} if it is something else than what moved from this source, or the role may not create what is missing.
 */
export async function standingOf(queries: Queries, address: PostgresAddress, state: SourceState): Promise<MoveStanding> {
  const { schema, shown } = address;
  const other = `Use another schema, by schema=… in DATABASE_URL, or drop this one with all that is in it: DROP SCHEMA "${schema}" CASCADE`;
  const move = await unfinishedMove(queries);
  if (move) {
    if (move.log_id === state.logId) return move.state === JSON.stringify(state) ? "unfinished" : "outdated";
    throw new Error(`The schema "${schema}" in ${shown} has a part of the data of another database, ${move.source}. ${other}`);
  }
  if ((await versionIn(queries)) > 0) {
    const [log] = await queries.query<{ log_id: string }>("SELECT log_id FROM meta");
    if (log?.log_id === state.logId) return "moved";
    throw new Error(
      `The schema "${schema}" in ${shown} has the data of another service, or of this one since it was started with it. ${other}`,
    );
  }
  await checkLeft(queries, address);
  await checkMayCreate(queries, address);
  return "empty";
}

/** @throws {Error} if consumers of an earlier service have schemas that belong to this name. */
async function checkLeft({ query }: Queries, { schema, shown }: PostgresAddress): Promise<void> {
  const left = await query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1) ORDER BY name",
    `${schema}.`,
  );
  if (left.length === 0) return;
  const names = left.map(({ name }) => `"${name}"`).join(", ");
  const what =
    left.length === 1 ? `the schema ${names} of an earlier service is left` : `the schemas ${names} of an earlier service are left`;
  throw new Error(
    `In ${shown}, ${what}, with what its consumers kept. Use another schema, by schema=… in DATABASE_URL, or run: DROP SCHEMA ${names} CASCADE`,
  );
}

async function checkMayCreate({ query }: Queries, { schema, database, user, shown }: PostgresAddress): Promise<void> {
  const [may] = await query<{ create: boolean; inside: boolean | null }>(
    `SELECT has_database_privilege(current_database(), 'CREATE') AS create,
       (SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1) AS inside`,
    schema,
  );
  if (may?.inside ?? may?.create) return;
  const right = may?.inside === false ? `USAGE, CREATE ON SCHEMA "${schema}"` : `CREATE ON DATABASE "${database}"`;
  throw new Error(
    `The role "${user}" may not create the schema "${schema}" and its tables in ${shown}. Move with a role that may, or run: GRANT ${right} TO "${user}"`,
  );
}
