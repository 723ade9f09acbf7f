import type { Database } from "bun:sqlite";
import type { StoredTimers } from "../../changes/timer-changes";
import type { Timer, TimerQuery, Timers } from "../../timers";
import type { Uncommitted } from "../commit/uncommitted";
import { reading } from "../connection/reading";

export const timerSchema = `
  -- Events to publish later.
  CREATE TABLE warren_timers (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    dueAt       INTEGER NOT NULL, -- milliseconds since 1970
    key         TEXT,
    resource    TEXT NOT NULL,
    subject     INTEGER NOT NULL,
    event       TEXT NOT NULL,
    version     INTEGER NOT NULL,
    data        TEXT NOT NULL,
    cause       TEXT,
    depth       INTEGER NOT NULL,
    actor       TEXT,
    traceparent TEXT,
    problem     TEXT -- why it cannot become an event
  ) STRICT;
  CREATE INDEX warren_timers_due ON warren_timers (dueAt, number);
  CREATE UNIQUE INDEX warren_timers_key ON warren_timers (key) WHERE key IS NOT NULL;
  CREATE INDEX warren_timers_record ON warren_timers (resource, subject);
  CREATE INDEX warren_timers_hindered ON warren_timers (number) WHERE problem IS NOT NULL;
`;

/** Returns the timers of a store, as changes read and write them. */
export function storedTimers(db: Database, uncommitted: Uncommitted): StoredTimers {
  const has = db.prepare<{ number: number }, [number]>("SELECT number FROM warren_timers WHERE number = ?");
  const set = uncommitted.prepare(
    `INSERT INTO warren_timers (dueAt, key, resource, subject, event, version, data, cause, depth, actor, traceparent)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const hinder = uncommitted.prepare("UPDATE warren_timers SET problem = ? WHERE number = ?");
  return {
    has: (number) => has.get(number) !== null,
    set: ({ dueAt, key, resource, subject, event, version, data, cause, depth, actor, traceparent }) =>
      set(dueAt, key, resource, subject, event, version, data, cause, depth, actor, traceparent),
    cancel: uncommitted.prepare("DELETE FROM warren_timers WHERE key = ?"),
    drop: uncommitted.prepare("DELETE FROM warren_timers WHERE resource = ? AND subject = ?"),
    take: uncommitted.prepare("DELETE FROM warren_timers WHERE number = ?"),
    hinder: (number, problem) => hinder(problem, number),
  };
}

/** Returns the functions that read committed timers. */
export function timerReads(db: Database): Pick<Timers, "due" | "next" | "list" | "get" | "count"> {
  const due = db.prepare<Timer, [number, number]>(
    "SELECT * FROM warren_timers WHERE dueAt <= ? AND problem IS NULL ORDER BY dueAt, number LIMIT ?",
  );
  const next = db.prepare<{ dueAt: number }, []>("SELECT dueAt FROM warren_timers WHERE problem IS NULL ORDER BY dueAt, number LIMIT 1");
  const get = db.prepare<Timer, [number]>("SELECT * FROM warren_timers WHERE number = ?");
  const count = db.prepare<{ waiting: number; hindered: number }, [number]>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM warren_timers LIMIT ?)) AS waiting,
       (SELECT count(*) FROM warren_timers WHERE problem IS NOT NULL) AS hindered`,
  );
  return {
    due: async (now, limit) => reading(() => due.all(now, limit)),
    next: async () => reading(() => next.get()?.dueAt),
    list: async (query) => reading(() => list(db, query)),
    get: async (number) => reading(() => get.get(number) ?? undefined),
    count: async (most) => reading(() => count.get(most) ?? { waiting: 0, hindered: 0 }),
  };
}

function list(db: Database, { after, resource, subject, key, limit }: TimerQuery): Timer[] {
  const conditions = [
    ...(after ? ["(dueAt, number) > ($dueAt, $number)"] : []),
    ...(resource === undefined ? [] : ["resource = $resource"]),
    ...(subject === undefined ? [] : ["subject = $subject"]),
    ...(key === undefined ? [] : ["key = $key"]),
  ];
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const values = { dueAt: after?.dueAt, number: after?.number, resource, subject, key, limit };
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<string, string | number>;
  return db.query<Timer, [typeof given]>(`SELECT * FROM warren_timers ${where} ORDER BY dueAt, number LIMIT $limit`).all(given);
}
