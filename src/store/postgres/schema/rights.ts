import type { PostgresAddress } from "../../../config/postgres-url";
import type { Advice } from "../../inspection";
import type { Queries } from "../connection/queries";

/** Resolves with the rights that the role lacks in the schema, or with undefined if it lacks none or there is no schema. */
export async function lackedRights(queries: Queries, { shown, schema, user }: PostgresAddress): Promise<Advice | undefined> {
  const grant = (what: string) => `GRANT ${what} TO "${user}"`;
  const [found] = await queries.query<{ usable: boolean }>(
    "SELECT has_schema_privilege(oid, 'USAGE') AS usable FROM pg_namespace WHERE nspname = $1",
    schema,
  );
  if (!found) return undefined;
  if (!found.usable) {
    const todo = `As its owner, run: ${grant(`USAGE ON SCHEMA "${schema}"`)}`;
    return { what: `The role "${user}" may not use the schema "${schema}" in ${shown}`, todo };
  }
  const lacked = await lackedIn(queries, schema);
  if (lacked.length === 0) return undefined;
  const kinds = [...new Set(lacked.map(({ kind }) => kind))];
  const names = lacked.map(({ name }) => name).join(", ");
  return {
    what: `The role "${user}" lacks rights in the schema "${schema}" in ${shown} (${names})`,
    todo: `As its owner, run: ${kinds.map((kind) => grant(`${rights[kind]} ON ALL ${kind} IN SCHEMA "${schema}"`)).join("; ")}`,
  };
}

type Kind = keyof typeof rights;

const rights = { TABLES: "SELECT, INSERT, UPDATE, DELETE", SEQUENCES: "USAGE, SELECT, UPDATE", FUNCTIONS: "EXECUTE" } as const;

/** Resolves with what is in the schema and may not be read and written by the role. Partitions are used through their table. */
function lackedIn({ query }: Queries, schema: string): Promise<{ kind: Kind; name: string }[]> {
  return query(
    `SELECT CASE relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind, relname AS name FROM pg_class
     WHERE relnamespace = $1::regnamespace AND NOT relispartition AND CASE
       WHEN relkind = 'S' THEN NOT (has_sequence_privilege(oid, 'USAGE') AND has_sequence_privilege(oid, 'SELECT')
         AND has_sequence_privilege(oid, 'UPDATE'))
       WHEN relkind IN ('r', 'p') THEN NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
         AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
       ELSE false END
     UNION ALL SELECT 'FUNCTIONS', proname FROM pg_proc WHERE pronamespace = $1::regnamespace AND NOT has_function_privilege(oid, 'EXECUTE')
     ORDER BY kind, name`,
    `"${schema}"`,
  );
}
