import type { Database, Statement } from "bun:sqlite";
import type { DeadLetterTable, DeadRow } from "../../consumer/dead-letter-table";
import type { Synchronous } from "./in-turn";

export function deadLetterTable(db: Database): Synchronous<DeadLetterTable> {
  const add = db.prepare(
    `INSERT INTO warren_dead (id, type, body, reason, error, stack, attempts, firstFailure, lastFailure, replay, traceparent)
     VALUES ($id, $type, $body, $reason, $error, $stack, $attempts, $firstFailure, $lastFailure, $replay, $traceparent)`,
  );
  const count: Statement<{ count: number }, []> = db.prepare("SELECT count(*) AS count FROM warren_dead");
  const list: Statement<DeadRow, Record<string, string | number | null>[]> = db.prepare(
    `SELECT * FROM warren_dead
     WHERE number > $after AND ($type IS NULL OR type = $type) AND ($reason IS NULL OR reason = $reason)
       AND ($ids IS NULL OR id IN (SELECT value FROM json_each($ids)))
     ORDER BY number LIMIT $limit`,
  );
  const last: Statement<{ number: number | null }, []> = db.prepare("SELECT max(number) AS number FROM warren_dead");
  const remove = db.prepare("DELETE FROM warren_dead WHERE number = ?");
  return {
    add: (dead) => void add.run({ ...dead }),
    count: () => count.get()?.count ?? 0,
    list: ({ ids, type, reason }, after, limit) =>
      list.all({ after, limit, type: type ?? null, reason: reason ?? null, ids: ids ? JSON.stringify(ids) : null }),
    last: () => last.get()?.number ?? 0,
    remove: (number) => void remove.run(number),
  };
}
