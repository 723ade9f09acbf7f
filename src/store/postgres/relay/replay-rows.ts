import type { ReplayRow } from "../../replay";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";

const columns = `id, log_id AS "logId", queue, fill, selection, first, position, begun, last, sent, refused, created_at AS "createdAt",
  finished_at AS "finishedAt", error`;

/** Replays on RabbitMQ. Each unfinished row has the epoch of the leader that makes it, so that no earlier one saves its progress. */
export function replaysIn({ query, writer }: Pick<Database, "query" | "writer">, logId: string): Store["replays"] {
  const unfinished = () =>
    query<ReplayRow>(`SELECT ${columns} FROM warren_replays WHERE finished_at IS NULL AND log_id = $1 ORDER BY id`, logId);
  return {
    async add({ id, queue, fill, selection, first, last, createdAt }) {
      await writer.query(
        `INSERT INTO warren_replays (id, log_id, queue, fill, selection, first, position, begun, last, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8) ON CONFLICT DO NOTHING`,
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
    get: (id) => replayIn({ query }, id),
    unfinished,
    async takeOver({ epoch }) {
      const rows = await query<ReplayRow & { readonly epoch: number }>(
        `SELECT ${columns}, epoch FROM warren_replays WHERE finished_at IS NULL AND log_id = $1 ORDER BY id`,
        logId,
      );
      if (rows.every((row) => row.epoch === epoch)) return rows.map(({ epoch: _, ...row }) => row);
      await writer.query("UPDATE warren_replays SET epoch = $1 WHERE finished_at IS NULL AND log_id = $2 AND epoch < $1", epoch, logId);
      // An earlier leader may have saved between the two.
      return await unfinished();
    },
    async save(id, { position, begun, sent, refused, finishedAt, error }, { epoch }) {
      await writer.query(
        `UPDATE warren_replays SET position = $1, begun = $2, sent = $3, refused = $4, finished_at = $5, error = $6
         WHERE id = $7 AND epoch = $8 AND finished_at IS NULL`,
        position,
        begun,
        sent,
        refused,
        finishedAt,
        error,
        id,
        epoch,
      );
    },
    async end(id, finishedAt, error) {
      await writer.query(
        "UPDATE warren_replays SET finished_at = $1, error = $2 WHERE id = $3 AND finished_at IS NULL",
        finishedAt,
        error,
        id,
      );
    },
    list: (limit) => query<ReplayRow>(`SELECT ${columns} FROM warren_replays ORDER BY id DESC LIMIT $1`, limit),
  };
}

export async function replayIn({ query }: Queries, id: string): Promise<ReplayRow | undefined> {
  const [row] = await query<ReplayRow>(`SELECT ${columns} FROM warren_replays WHERE id = $1`, id);
  return row;
}
