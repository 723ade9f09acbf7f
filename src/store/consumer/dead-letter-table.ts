import type { Database, Statement } from "bun:sqlite";
import type { ReplayMark } from "../replay";

/** A dead letter: an event that a consumer gave up on, as stored in its file. */
export interface DeadRow {
  readonly number: number;
  readonly id: string;
  /** Event type. Null if it cannot be read from the body. */
  readonly type: string | null;
  readonly body: string;
  readonly reason: string;
  readonly error: string;
  readonly stack: string | null;
  readonly attempts: number;
  readonly firstFailure: string;
  readonly lastFailure: string;
  readonly replay: ReplayMark;
  /** W3C trace context of the event. */
  readonly traceparent: string | null;
}

/** Selects dead letters. All given criteria must match. */
export interface DeadSelection {
  readonly ids?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly reason?: string | undefined;
}

export interface DeadLetterTable {
  add(dead: Omit<DeadRow, "number">): void;
  count(): number;
  /** Returns up to `limit` selected dead letters after the row `after`, oldest first. */
  list(selection: DeadSelection, after: number, limit: number): DeadRow[];
  /** Returns the number of the newest row, or 0 if there is none. */
  last(): number;
  remove(number: number): void;
}

export function deadLetterTable(db: Database): DeadLetterTable {
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
