import type { ReplayTable } from "../../consumer/replay-table";
import type { ReplayRow } from "../../replay";
import type { Access } from "./access";
import { sourceProgress } from "./progress-table";
import { laneCount } from "./schema";

/** The replays of a queue. Each process makes them in its lanes. */
export function replaysIn(access: Access): ReplayTable {
  const { query, change, table } = access;
  const [replays, progress] = [table("warren_replays"), table("warren_progress")];
  const source = sourceProgress(access);
  const select = `SELECT id, log_id AS "logId", queue, fill, selection, first, last, 0 AS refused, created_at AS "createdAt",
      finished_at AS "finishedAt", error, coalesce(done.position, last) AS position, coalesce(done.begun, last) AS begun,
      coalesce(done.sent, ${replays}.sent) AS sent
    FROM ${replays} LEFT JOIN LATERAL (SELECT min(position) AS position, max(begun) AS begun, sum(sent)::bigint AS sent
      FROM ${progress} WHERE source = ${replays}.id) AS done ON true`;
  return {
    async add({ id, logId, queue, fill, selection, first, last, createdAt }) {
      await change(
        `WITH added AS (INSERT INTO ${replays} (id, log_id, queue, fill, selection, first, last, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id, first)
         INSERT INTO ${progress} (source, lane, position, begun)
         SELECT id, lane, first, first FROM added CROSS JOIN generate_series(0, ${laneCount - 1}) AS lane`,
        id,
        logId,
        queue,
        fill,
        selection,
        first,
        last,
        createdAt,
      );
    },
    async get(id) {
      const [row] = await query<ReplayRow>(`${select} WHERE id = $1`, id);
      return row;
    },
    unfinished: (logId) => query<ReplayRow>(`${select} WHERE log_id = $1 AND finished_at IS NULL ORDER BY id`, logId),
    takeLanes: (id, lanes) => source.take(id, lanes),
    async save(id, lanes) {
      await source.save(id, lanes);
    },
    async finish(id, at) {
      const finished = await query(
        `WITH finished AS (UPDATE ${replays} SET finished_at = $2, sent = (SELECT coalesce(sum(sent), 0) FROM ${progress} WHERE source = $1)
           WHERE id = $1 AND finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM ${progress} WHERE source = $1 AND position < last) RETURNING id),
         forgotten AS (DELETE FROM ${progress} WHERE source IN (SELECT id FROM finished))
         SELECT id FROM finished`,
        id,
        at,
      );
      return finished.length > 0;
    },
    async end(id, at, error) {
      await change(`UPDATE ${replays} SET finished_at = $2, error = $3 WHERE id = $1 AND finished_at IS NULL`, id, at, error);
    },
    list: (limit) => query<ReplayRow>(`${select} ORDER BY id DESC LIMIT $1`, limit),
  };
}
