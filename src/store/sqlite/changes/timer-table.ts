import type { Database } from "bun:sqlite";
import type { StoredTimers } from "../../changes/timer-changes";
import type { Uncommitted } from "../commit/uncommitted";

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

/**
 * Those with a problem are apart, so that they never have to be passed over. With the resource in the index, those of others are passed
 * over without reading their rows. A record's index also serves a look-up by its id alone.
 */
export const timerIndexes = `
  DROP INDEX warren_timers_due;
  DROP INDEX warren_timers_hindered;
  DROP INDEX warren_timers_record;
  CREATE INDEX warren_timers_due ON warren_timers (dueAt, number, resource) WHERE problem IS NULL;
  CREATE INDEX warren_timers_hindered ON warren_timers (dueAt, number, resource) WHERE problem IS NOT NULL;
  CREATE INDEX warren_timers_record ON warren_timers (subject, resource);
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
