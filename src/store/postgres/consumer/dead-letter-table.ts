import type { DeadLetterTable, DeadRow } from "../../consumer/dead-letter-table";
import { plainText } from "../connection/plain-text";
import type { Access } from "./access";

export function deadLetterTable({ query, change, table }: Access): DeadLetterTable {
  const dead = table("warren_dead");
  return {
    async add({ id, type, body, reason, error, stack, attempts, firstFailure, lastFailure, replay, traceparent }) {
      await change(
        `INSERT INTO ${dead} (id, type, body, reason, error, stack, attempts, first_failure, last_failure, replay, traceparent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        id,
        type,
        body,
        reason,
        plainText(error),
        stack === null ? null : plainText(stack),
        attempts,
        firstFailure,
        lastFailure,
        replay,
        traceparent,
      );
    },
    async count() {
      const [row] = await query<{ count: number }>(`SELECT count(*) AS count FROM ${dead}`);
      return row?.count ?? 0;
    },
    list: ({ ids, type, reason }, after, limit) =>
      query<DeadRow>(
        `SELECT number, id, type, body, reason, error, stack, attempts, first_failure AS "firstFailure", last_failure AS "lastFailure", replay,
           traceparent
         FROM ${dead} WHERE number > $1 AND ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR reason = $3)
           AND ($4::text[] IS NULL OR id = ANY($4)) ORDER BY number LIMIT $5`,
        after,
        type ?? null,
        reason ?? null,
        ids ? [...ids] : null,
        limit,
      ),
    async last() {
      const [row] = await query<{ number: number | null }>(`SELECT max(number) AS number FROM ${dead}`);
      return row?.number ?? 0;
    },
    async remove(number) {
      await change(`DELETE FROM ${dead} WHERE number = $1`, number);
    },
  };
}
