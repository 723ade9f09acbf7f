import { now } from "../../../timing/clock";
import type { PublishTick } from "../../changes/ticks";
import { doneKeyPrefix, type Schedule, type Schedules } from "../../schedules";
import type { Database, Queries } from "../connection/queries";

const columns =
  `number, queue, pattern, time_zone AS "timeZone", missed, overlap = 1 AS overlap, announced_at AS "announcedAt", since, due_at AS "dueAt", ` +
  `last_at AS "lastAt", last_tick AS "lastTick", (done = 1 OR last_tick IS NULL) AS "isSettled", ` +
  `(done = 1 OR last_tick IS NULL OR EXISTS (SELECT FROM idempotency_keys WHERE key = '${doneKeyPrefix}' || last_tick AND part = 0)) AS "isDone"`;

/**
 * Returns the schedules of a store.
 *
 * @param publish publishes the event of a time, once.
 */
export function schedulesIn({ query, writer }: Pick<Database, "query" | "writer">, publish: PublishTick): Schedules {
  return {
    async announce({ queue, pattern, timeZone, missed, overlap }) {
      await writer.query(
        `INSERT INTO warren_schedules AS s (queue, pattern, time_zone, missed, overlap, announced_at, since) VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (queue) DO UPDATE SET announced_at = $6, missed = $4, overlap = $5, pattern = $2, time_zone = $3,
           since = CASE WHEN s.pattern = $2 AND s.time_zone = $3 THEN s.since ELSE $6 END`,
        queue,
        pattern,
        timeZone,
        missed,
        overlap ? 1 : 0,
        now(),
      );
    },
    list: () => schedulesOf({ query }),
    async find(queue) {
      const [schedule] = await query<Schedule>(`SELECT ${columns} FROM warren_schedules WHERE queue = $1`, queue);
      return schedule;
    },
    async remove(queue) {
      return (await writer.query("DELETE FROM warren_schedules WHERE queue = $1 RETURNING number", queue)).length > 0;
    },
    async aim({ number, since }, dueAt) {
      const aimed = await writer.query(
        "UPDATE warren_schedules SET due_at = $1 WHERE number = $2 AND due_at IS NULL AND since = $3 RETURNING number",
        dueAt,
        number,
        since,
      );
      return aimed.length > 0;
    },
    async tick(schedule, dueAt) {
      const id = await publish(schedule, dueAt);
      await writer.query(
        `UPDATE warren_schedules SET since = greatest(since, due_at), last_at = due_at, last_tick = $1, done = 0, due_at = NULL
         WHERE number = $2 AND due_at = $3`,
        id,
        schedule.number,
        dueAt,
      );
    },
    async rewind(schedule, since) {
      await writer.query("UPDATE warren_schedules SET since = $1 WHERE number = $2 AND since = $3", since, schedule.number, schedule.since);
    },
    async settle({ number, lastTick }) {
      await writer.query("UPDATE warren_schedules SET done = 1 WHERE number = $1 AND last_tick = $2", number, lastTick);
    },
  };
}

export function schedulesOf({ query }: Queries): Promise<Schedule[]> {
  return query<Schedule>(`SELECT ${columns} FROM warren_schedules ORDER BY queue`);
}
