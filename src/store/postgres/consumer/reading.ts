import type { Attempt } from "../../consumer/attempt-table";
import type { ConsumerHistory } from "../../consumer/history";
import type { ConsumerState } from "../../consumer/state";
import type { Queries } from "../connection/queries";

/** Resolves with the state of a consumer. */
export async function consumerState({ query }: Queries, schema: string, logId: string): Promise<ConsumerState> {
  const table = (name: string) => `"${schema}".${name}`;
  const [state] = await query<ConsumerState>(
    `SELECT (SELECT min(position) FROM ${table("warren_progress")} WHERE source = $1) AS position,
       (SELECT count(*) FROM ${table("warren_waiting")}) AS waiting, (SELECT count(*) FROM ${table("warren_dead")}) AS dead,
       (SELECT count(*) FROM ${table("warren_members")} WHERE expires_at > clock_timestamp()) AS processes`,
    logId,
  );
  return state ?? { position: null, waiting: 0, dead: 0, processes: 0 };
}

/** Resolves with the history of one event at a consumer. */
export async function consumerHistory({ query }: Queries, schema: string, logId: string, id: string): Promise<ConsumerHistory> {
  const table = (name: string) => `"${schema}".${name}`;
  const first = async <Row>(sql: string, value: string) => (await query<Row>(sql, value))[0];
  const [progress, follows, waiting, dead, inbox, attempts] = await Promise.all([
    first<{ position: number | null; begun: number }>(
      `SELECT min(position) AS position, max(begun) AS begun FROM ${table("warren_progress")} WHERE source = $1`,
      logId,
    ),
    first<{ start: number; types: string }>(`SELECT start, types FROM ${table("warren_follows")} WHERE log_id = $1`, logId),
    first<{ attempts: number; dueAt: number }>(
      `SELECT attempts, due_at AS "dueAt" FROM ${table("warren_waiting")} WHERE id = $1 ORDER BY number DESC LIMIT 1`,
      id,
    ),
    first<{ reason: string; lastFailure: string }>(
      `SELECT reason, last_failure AS "lastFailure" FROM ${table("warren_dead")} WHERE id = $1 ORDER BY number DESC LIMIT 1`,
      id,
    ),
    first<{ at: number }>(`SELECT at FROM ${table("warren_inbox")} WHERE id = $1`, id),
    query<Attempt>(
      `SELECT attempt, at, outcome, reason, error, due_at AS "dueAt" FROM ${table("warren_attempts")} WHERE id = $1 ORDER BY number`,
      id,
    ),
  ]);
  return {
    progress: progress && progress.position !== null ? { position: progress.position, begun: progress.begun } : undefined,
    follows: follows && { start: follows.start, types: JSON.parse(follows.types) as string[] },
    waiting,
    dead,
    inboxAt: inbox?.at,
    attempts,
  };
}

/**
 * Resolves with the position that a consumer has settled in a log, in the lane or replay that is least far: 0 if it has only read another
 * log. Resolves with null if it reads no log, because it gets its events from RabbitMQ.
 */
export async function settledPosition({ query }: Queries, schema: string, logId: string): Promise<number | null> {
  const progress = `"${schema}".warren_progress`;
  const [row] = await query<{ followed: boolean; position: number | null }>(
    `SELECT EXISTS (SELECT 1 FROM ${progress}) AS followed,
       (SELECT min(position) FROM ${progress} WHERE source = $1 OR source IN
         (SELECT id FROM "${schema}".warren_replays WHERE log_id = $1 AND finished_at IS NULL)) AS position`,
    logId,
  );
  return row?.position ?? (row?.followed ? 0 : null);
}

/** Resolves with the names of the tables that a consumer's handlers have created. */
export async function ownTables({ query }: Queries, schema: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    String.raw`SELECT relname AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = $1 AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'warren\_%' ORDER BY relname`,
    schema,
  );
  return rows.map(({ name }) => name);
}
