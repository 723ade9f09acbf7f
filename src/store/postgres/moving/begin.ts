import type { PostgresAddress } from "../../../config/postgres-url";
import type { MoveSource } from "../../moving/move-source";
import type { Database, TransactionQueries } from "../connection/queries";
import { lockKey, versionIn } from "../schema/migrations";
import { unfinishedSchema } from "../schema/unfinished-move";
import { standingOf } from "./standing";

/**
 * Makes a process the one that copies to a schema, which is noted in it before anything else is there. Deletes what was copied from an
 * earlier state of the source.
 *
 * @param run names the process.
 */
export async function beginMove(database: Database, address: PostgresAddress, source: MoveSource, run: string): Promise<void> {
  const state = JSON.stringify(source.state);
  await database.transaction(async (queries) => {
    const { query, script } = queries;
    await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(address.schema, "migrate"));
    const standing = await standingOf(queries, address, source.state);
    if (standing === "moved") throw new Error(`All of ${source.shown} has been moved to ${address.shown} by another process.`);
    if (standing === "empty") {
      const there = await query("SELECT 1 FROM pg_namespace WHERE nspname = $1", address.schema);
      if (there.length === 0) await script(`CREATE SCHEMA "${address.schema}"`);
      await script(unfinishedSchema);
      await query("INSERT INTO warren_unfinished_move VALUES ($1, $2, $3, $4::uuid)", source.shown, source.state.logId, state, run);
      return;
    }
    // Waits for a statement of an earlier process, which may have been killed while it was in progress.
    await query("UPDATE warren_unfinished_move SET run = $1::uuid, source = $2, state = $3", run, source.shown, state);
    if (standing === "outdated") await empty(queries);
  });
}

/** Deletes all that was copied. */
async function empty(queries: TransactionQueries): Promise<void> {
  if ((await versionIn(queries)) === 0) return;
  const records = await queries.query<{ name: string }>(
    "SELECT quote_ident(plural) AS name FROM warren_tables WHERE to_regclass(quote_ident(plural)) IS NOT NULL",
  );
  await queries.script(
    `TRUNCATE ${["events", "idempotency_keys", "warren_timers", "relay_times", ...records.map(({ name }) => name)].join(", ")}`,
  );
}
