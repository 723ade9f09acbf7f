import type { Database } from "bun:sqlite";
import { now } from "../../../timing/clock";
import type { PublishTick } from "../../changes/ticks";
import { doneKeyPrefix, type Schedule, type Schedules } from "../../schedules";
import type { GroupCommit } from "../commit/group-commit";

export const scheduleSchema = `
  -- When consumers want to be called. Times are in milliseconds since 1970.
  CREATE TABLE warren_schedules (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    queue       TEXT NOT NULL UNIQUE,
    pattern     TEXT NOT NULL,
    timeZone    TEXT NOT NULL,
    missed      TEXT NOT NULL,
    overlap     INTEGER NOT NULL,
    announcedAt INTEGER NOT NULL,
    since       INTEGER NOT NULL, -- only later times count
    dueAt       INTEGER, -- the time whose event is being published
    lastAt      INTEGER, -- the time of the last event
    lastTick    TEXT, -- its id
    done        INTEGER NOT NULL DEFAULT 0 -- 1: it is done for good
  ) STRICT;
`;

/**
 * Returns the schedules of a store.
 *
 * @param publish publishes the event of a time, once.
 */
export function schedulesIn(db: Database, commits: GroupCommit, publish: PublishTick): Schedules {
  const { uncommitted } = commits;
  const announce = uncommitted.prepare(
    `INSERT INTO warren_schedules (queue, pattern, timeZone, missed, overlap, announcedAt, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
     ON CONFLICT (queue) DO UPDATE SET announcedAt = ?6, missed = ?4, overlap = ?5, pattern = ?2, timeZone = ?3,
       since = iif(pattern = ?2 AND timeZone = ?3, since, ?6)`,
  );
  const remove = uncommitted.prepare("DELETE FROM warren_schedules WHERE queue = ?");
  const aim = uncommitted.prepare("UPDATE warren_schedules SET dueAt = ? WHERE number = ? AND dueAt IS NULL AND since = ?");
  const noteTick = uncommitted.prepare(
    "UPDATE warren_schedules SET since = max(since, dueAt), lastAt = dueAt, lastTick = ?, done = 0, dueAt = NULL WHERE number = ? AND dueAt = ?",
  );
  const rewind = uncommitted.prepare("UPDATE warren_schedules SET since = ? WHERE number = ? AND since = ?");
  const settle = uncommitted.prepare("UPDATE warren_schedules SET done = 1 WHERE number = ? AND lastTick = ?");
  const find = async (queue: string) => (await list(db, "WHERE queue = ?", queue))[0];
  return {
    announce: ({ queue, pattern, timeZone, missed, overlap }) =>
      commits.run(() => announce(queue, pattern, timeZone, missed, overlap ? 1 : 0, now())),
    list: () => schedulesOf(db),
    find,
    async remove(queue) {
      const isThere = (await find(queue)) !== undefined;
      await commits.run(() => remove(queue));
      return isThere;
    },
    async aim({ number, since, queue }, dueAt) {
      await commits.run(() => aim(dueAt, number, since));
      return (await find(queue))?.dueAt === dueAt;
    },
    async tick(schedule, dueAt) {
      const id = await publish(schedule, dueAt);
      await commits.run(() => noteTick(id, schedule.number, dueAt));
    },
    rewind: (schedule, since) => commits.run(() => rewind(since, schedule.number, schedule.since)),
    settle: ({ number, lastTick }) => commits.run(() => settle(number, lastTick)),
  };
}

type Flag = "overlap" | "isDone" | "isSettled";
type ScheduleRow = Omit<Schedule, Flag> & { readonly [Name in Flag]: number };

export function schedulesOf(db: Database): Promise<Schedule[]> {
  return list(db, "");
}

async function list(db: Database, where: string, ...values: string[]): Promise<Schedule[]> {
  const rows = db
    .query<ScheduleRow, string[]>(
      `SELECT number, queue, pattern, timeZone, missed, overlap, announcedAt, since, dueAt, lastAt, lastTick,
         (done OR lastTick IS NULL) AS isSettled,
         done OR lastTick IS NULL OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = '${doneKeyPrefix}' || lastTick AND part = 0) AS isDone
       FROM warren_schedules ${where} ORDER BY queue`,
    )
    .all(...values);
  return rows.map(({ overlap, isDone, isSettled, ...row }) => ({
    ...row,
    ...{ overlap: overlap === 1, isDone: isDone === 1, isSettled: isSettled === 1 },
  }));
}
