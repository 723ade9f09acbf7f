import { PostgresError } from "../connection/errors";
import type { Database, Queries } from "../connection/queries";
import type { CommitFunction } from "./commit-function";

/** How often a process says that it uses its function, in milliseconds. */
export const keepEveryMs = 3_600_000;
/** How long a function is kept that no process uses. */
const lifetime = "1 day";

/**
 * Creates the commit function of a program unless it is there, says that a process uses it, and drops the functions of programs that no
 * longer run. Of several processes, one creates it, and the others wait for it.
 *
 * @param lock key of the advisory lock that is held meanwhile.
 */
export async function keepCommitFunction(database: Database, made: CommitFunction, lock: string): Promise<void> {
  const use = "INSERT INTO warren_commit_functions (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET used_at = now()";
  // First, so that nobody drops the function from then on.
  await database.writer.query(use, made.name);
  await create(database, made, lock);
  await dropUnused(database);
}

async function create(database: Database, { name, creation }: CommitFunction, lock: string): Promise<void> {
  const isThere = async ({ query }: Queries) =>
    (await query("SELECT 1 FROM pg_proc WHERE proname = $1 AND pronamespace = current_schema()::regnamespace", name)).length > 0;
  if (await isThere(database)) return;
  await database.transaction(async (queries) => {
    await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", lock);
    if (!(await isThere(queries))) await queries.script(creation);
  });
}

async function dropUnused(database: Database): Promise<void> {
  const isUnused = `used_at < now() - interval '${lifetime}'`;
  const unused = await database.query<{ name: string }>(`SELECT name FROM warren_commit_functions WHERE ${isUnused}`);
  for (const { name } of unused) {
    try {
      await database.transaction(async ({ query, script }) => {
        const rows = await query(`DELETE FROM warren_commit_functions WHERE name = $1 AND ${isUnused} RETURNING 1`, name);
        // A process that is about to use it waits for the row, and creates the function again.
        if (rows.length > 0) await script(`DROP FUNCTION IF EXISTS "${name}"`);
      });
    } catch (error) {
      // Only its owner may drop it.
      if (!(error instanceof PostgresError && error.sqlState === "42501")) throw error;
    }
  }
}
