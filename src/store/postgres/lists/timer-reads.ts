import type { Timer, TimerQuery, TimerReads } from "../../timers";
import type { Queries } from "../connection/queries";

const columns = `number, due_at AS "dueAt", key, resource, subject, event, version, data, cause, depth, actor, traceparent, problem`;
const inOrder = `ORDER BY "dueAt", number LIMIT $3`;

/** Reads the timers of a record, or the one with a key, which are few, and then chooses from them. */
const among = (condition: string) => `
  WITH found AS MATERIALIZED (SELECT ${columns} FROM warren_timers WHERE ${condition})
  SELECT * FROM found WHERE ("dueAt", number) > ($1::int8, $2::int8) AND ($4::text IS NULL OR resource = $4) AND ($6::int8 IS NULL OR subject = $6)
    AND (NOT $7::bool OR problem IS NOT NULL) ${inOrder}`;
const withKey = among("key = $5");
const ofSubject = among("subject = $5");

/** Each part has an index of its own, which also has the resource. */
const partInOrder = (problem: "IS NULL" | "IS NOT NULL", condition: string) => `
  (SELECT ${columns} FROM warren_timers WHERE problem ${problem} AND (due_at, number) > ($1::int8, $2::int8) AND ${condition}
   ORDER BY due_at, number LIMIT $3)`;
const hinderedInOrder = (condition: string) => partInOrder("IS NOT NULL", condition);
const allInOrder = (condition: string) => `${partInOrder("IS NULL", condition)} UNION ALL ${hinderedInOrder(condition)} ${inOrder}`;

/** Returns the functions that read committed timers. */
export function timerReads({ query }: Queries): TimerReads {
  return {
    due: (now, limit) =>
      query<Timer>(
        `SELECT ${columns} FROM warren_timers WHERE due_at <= $1 AND problem IS NULL ORDER BY due_at, number LIMIT $2`,
        now,
        limit,
      ),
    async next() {
      const [first] = await query<{ dueAt: number }>(
        `SELECT due_at AS "dueAt" FROM warren_timers WHERE problem IS NULL ORDER BY due_at, number LIMIT 1`,
      );
      return first?.dueAt;
    },
    list({ after, resource, subject, key, isHindered = false, limit }: TimerQuery) {
      const page = [after?.dueAt ?? Number.MIN_SAFE_INTEGER, after?.number ?? 0, limit] as const;
      if (key !== undefined) return query<Timer>(withKey, ...page, resource ?? null, key, subject ?? null, isHindered);
      if (subject !== undefined) return query<Timer>(ofSubject, ...page, resource ?? null, subject, null, isHindered);
      const pageOf = isHindered ? hinderedInOrder : allInOrder;
      return resource === undefined ? query<Timer>(pageOf("TRUE"), ...page) : query<Timer>(pageOf("resource = $4"), ...page, resource);
    },
    async get(number) {
      const [timer] = await query<Timer>(`SELECT ${columns} FROM warren_timers WHERE number = $1`, number);
      return timer;
    },
    async count(most) {
      const [counted] = await query<{ waiting: number; hindered: number }>(
        `SELECT (SELECT count(*)::int FROM (SELECT FROM warren_timers WHERE problem IS NULL LIMIT $1) AS part) AS waiting,
           (SELECT count(*)::int FROM (SELECT FROM warren_timers WHERE problem IS NOT NULL LIMIT $1) AS part) AS hindered`,
        most,
      );
      return counted ?? { waiting: 0, hindered: 0 };
    },
  };
}
