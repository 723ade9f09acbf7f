import { PostgresError } from "../connection/errors";
import type { Queries } from "../connection/queries";

export interface LogState {
  readonly logId: string;
  /** Position of the newest event ever committed that is known: one that was pruned may have been the last. */
  readonly end: number;
}

/** SQL of the end of the log, beside the row of `meta`. */
export const logEnd = "greatest(meta.pruned_to, coalesce((SELECT events.position FROM events ORDER BY events.position DESC LIMIT 1), 0))";

/** Resolves with the state of the log, or with undefined if the schema was removed. */
export async function logStateIn({ query }: Queries): Promise<LogState | undefined> {
  try {
    const [state] = await query<LogState>(`SELECT log_id AS "logId", ${logEnd} AS "end" FROM meta`);
    return state;
  } catch (error) {
    if (error instanceof PostgresError && error.sqlState === "42P01") return undefined;
    throw error;
  }
}
