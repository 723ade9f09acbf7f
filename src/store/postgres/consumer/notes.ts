import type { AttemptTable } from "../../consumer/attempt-table";
import type { ConsumerStore } from "../../consumer/store";
import { plainText } from "../connection/plain-text";
import type { Access } from "./access";

/** Maximum number of attempts kept per consumer. It bounds the size of its table during a long outage. */
const mostAttempts = 10_000;

/** Failed attempts, and deaths of processes. */
export function notesIn({ query, change, table }: Access): { attempts: AttemptTable } & Pick<ConsumerStore, "countDeath" | "forgetDeaths"> {
  const [attempts, deaths] = [table("warren_attempts"), table("warren_deaths")];
  return {
    attempts: {
      async add(id, { attempt, at, outcome, reason, error, dueAt }) {
        await query(
          `WITH added AS (INSERT INTO ${attempts} (id, attempt, at, outcome, reason, error, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             RETURNING number)
           DELETE FROM ${attempts} WHERE number <= (SELECT number - ${mostAttempts} FROM added)`,
          id,
          attempt,
          at,
          outcome,
          reason,
          error === null ? null : plainText(error),
          dueAt === null ? null : Math.round(dueAt),
        );
      },
    },
    async countDeath(eventId) {
      const [row] = await query<{ count: number }>(
        `INSERT INTO ${deaths} VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET count = ${deaths}.count + 1 RETURNING count`,
        eventId,
      );
      return row?.count ?? 0;
    },
    async forgetDeaths(eventId) {
      await change(`DELETE FROM ${deaths} WHERE id = $1`, eventId);
    },
  };
}
