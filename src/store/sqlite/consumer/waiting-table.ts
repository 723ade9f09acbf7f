import type { Database, Statement } from "bun:sqlite";
import { onlyLane } from "../../consumer/lanes";
import type { Waiting, WaitingTable } from "../../consumer/waiting-table";
import type { Synchronous } from "./in-turn";

export function waitingTable(db: Database): Synchronous<WaitingTable> {
  const add = db.prepare(
    `INSERT INTO warren_waiting (id, body, attempts, dueAt, delayMs, firstFailure, replay, traceparent, begun)
     VALUES ($id, $body, $attempts, $dueAt, $delayMs, $firstFailure, $replay, $traceparent, 0)`,
  );
  const remove = db.prepare("DELETE FROM warren_waiting WHERE number = ?");
  const begin = db.prepare("UPDATE warren_waiting SET begun = ? WHERE number = ?");
  const except = "number NOT IN (SELECT value FROM json_each(?))";
  const due: Statement<Waiting, [number, string, number]> = db.prepare(
    `SELECT *, ${onlyLane.number} AS lane FROM warren_waiting WHERE dueAt <= ? AND ${except} ORDER BY dueAt, number LIMIT ?`,
  );
  const next: Statement<{ dueAt: number }, [string]> = db.prepare(
    `SELECT dueAt FROM warren_waiting WHERE ${except} ORDER BY dueAt LIMIT 1`,
  );
  const bound = db.prepare("UPDATE warren_waiting SET dueAt = ?1 + delayMs WHERE dueAt > ?1 + delayMs");
  const count: Statement<{ count: number }, []> = db.prepare("SELECT count(*) AS count FROM warren_waiting");
  const list = (numbers: ReadonlySet<number>) => JSON.stringify([...numbers]);
  return {
    add: (waiting) => void add.run({ ...waiting }),
    remove: (number) => void remove.run(number),
    due: (now, lanes, inHand, limit) => (lanes.length === 0 ? [] : due.all(now, list(inHand), limit)),
    nextDueAt: (lanes, inHand) => (lanes.length === 0 ? undefined : next.get(list(inHand))?.dueAt),
    begin(numbers) {
      for (const number of numbers) begin.run(1, number);
    },
    rest(numbers) {
      for (const number of numbers) begin.run(0, number);
    },
    bound: (now) => void bound.run(now),
    count: () => count.get()?.count ?? 0,
  };
}
