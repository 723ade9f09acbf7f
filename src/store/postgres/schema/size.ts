import type { PostgresAddress } from "../../../config/postgres-url";
import type { Queries } from "../connection/queries";

/** Resolves with the size of all tables and indexes of the schema, in bytes. */
export async function sizeOf({ query }: Queries, { schema }: PostgresAddress): Promise<number> {
  const [found] = await query<{ bytes: number }>(
    `SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint AS bytes FROM pg_class
     JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname = $1 WHERE relkind = 'r'`,
    schema,
  );
  return found?.bytes ?? 0;
}
