import type { PostgresAddress } from "../../config/postgres-url";
import type { Queries } from "./queries";

/**
 * Checks that the role may use the schema, if it exists.
 *
 * @throws {Error} that says which right to grant.
 */
export async function checkUse({ query }: Queries, { shown, schema, user }: PostgresAddress): Promise<void> {
  const hidden = await query("SELECT 1 FROM pg_namespace WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')", schema);
  if (hidden.length === 0) return;
  throw new Error(
    `The role "${user}" may not use the schema "${schema}" in ${shown}. As its owner, run: GRANT USAGE ON SCHEMA "${schema}" TO "${user}"`,
  );
}

/**
 * Checks that the role may read and write all that is in the schema.
 *
 * @throws {Error} that says which rights to grant.
 */
export async function checkRights({ query }: Queries, { shown, schema, user }: PostgresAddress): Promise<void> {
  const missing = await query<{ kind: string; name: string }>(
    `SELECT CASE relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind, relname AS name FROM pg_class
     WHERE relnamespace = $1::regnamespace AND NOT relispartition AND CASE WHEN relkind = 'S' THEN NOT (has_sequence_privilege(oid, 'USAGE') AND has_sequence_privilege(oid, 'UPDATE'))
       WHEN relkind IN ('r', 'p') THEN NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
         AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) ELSE false END
     UNION ALL SELECT 'FUNCTIONS', proname FROM pg_proc WHERE pronamespace = $1::regnamespace AND NOT has_function_privilege(oid, 'EXECUTE')
     ORDER BY kind, name`,
    `"${schema}"`,
  );
  if (missing.length === 0) return;
  const grants = [...new Set(missing.map(({ kind }) => kind))].map(
    (kind) => `GRANT ${rights[kind]} ON ALL ${kind} IN SCHEMA "${schema}" TO "${user}"`,
  );
  const names = missing.map(({ name }) => name).join(", ");
  throw new Error(
    `The role "${user}" lacks rights in the schema "${schema}" in ${shown} (${names}). As its owner, run: ${grants.join("; ")}`,
  );
}

const rights: Readonly<Record<string, string>> = {
  TABLES: "SELECT, INSERT, UPDATE, DELETE",
  SEQUENCES: "USAGE, SELECT, UPDATE",
  FUNCTIONS: "EXECUTE",
};
