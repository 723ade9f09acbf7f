import { steadyNow } from "../../../timing/clock";
import { atOnce, type Waiting, type WaitingTable } from "../../consumer/waiting-table";
import type { Access } from "./access";
import { databaseNow, fromNow } from "./database-clock";
import { laneOf } from "./lane-of";

/** Events that wait, whose times are by the clock of the database: that of another process may be ahead. */
export function waitingTable({ query, change, table }: Access): WaitingTable {
  const waiting = table("warren_waiting");
  const numbers = (lanes: readonly { readonly number: number }[]) => lanes.map(({ number }) => number);
  return {
    async add({ id, body, attempts, dueAt, delayMs, firstFailure, replay, traceparent }) {
      await change(
        `INSERT INTO ${waiting} (lane, id, body, attempts, due_at, delay_ms, first_failure, replay, traceparent)
         VALUES ($1, $2, $3, $4, CASE WHEN $5::bigint IS NULL THEN ${atOnce} ELSE ${databaseNow} + $5::bigint END, $6, $7, $8, $9)`,
        laneOf(body),
        id,
        body,
        attempts,
        dueAt === atOnce ? null : fromNow(dueAt),
        delayMs,
        firstFailure,
        replay,
        traceparent,
      );
    },
    async remove(number) {
      await change(`DELETE FROM ${waiting} WHERE number = $1`, number);
    },
    async due(now, lanes, except, limit) {
      if (lanes.length === 0) return [];
      const rows = await query<Waiting & { readonly inMs: number }>(
        `SELECT number, lane, id, body, attempts, delay_ms AS "delayMs", first_failure AS "firstFailure", replay, traceparent, begun,
           due_at - ${databaseNow} AS "inMs", due_at AS "dueAt"
         FROM ${waiting} WHERE due_at <= ${databaseNow} + $1::bigint AND lane = ANY($2::int[]) AND number <> ALL($3::bigint[])
         ORDER BY due_at, number LIMIT $4`,
        // Number.MAX_SAFE_INTEGER stands for all.
        Math.min(fromNow(now), Number.MAX_SAFE_INTEGER / 2),
        numbers(lanes),
        [...except],
        limit,
      );
      return rows.map(({ inMs, ...row }) => ({ ...row, dueAt: row.dueAt === atOnce ? atOnce : steadyNow() + inMs }));
    },
    async nextDueAt(lanes, except) {
      if (lanes.length === 0) return undefined;
      const [row] = await query<{ readonly inMs: number }>(
        `SELECT due_at - ${databaseNow} AS "inMs" FROM ${waiting} WHERE lane = ANY($1::int[]) AND number <> ALL($2::bigint[])
         ORDER BY due_at LIMIT 1`,
        numbers(lanes),
        [...except],
      );
      return row && steadyNow() + row.inMs;
    },
    async begin(all) {
      await change(`UPDATE ${waiting} SET begun = 1 WHERE number = ANY($1::bigint[])`, [...all]);
    },
    async rest(all) {
      await change(`UPDATE ${waiting} SET begun = 0 WHERE number = ANY($1::bigint[])`, [...all]);
    },
    async bound() {
      await change(`UPDATE ${waiting} SET due_at = ${databaseNow} + delay_ms WHERE due_at > ${databaseNow} + delay_ms`);
    },
    async count() {
      const [row] = await query<{ count: number }>(`SELECT count(*) AS count FROM ${waiting}`);
      return row?.count ?? 0;
    },
  };
}
