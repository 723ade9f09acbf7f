import type { Database, Statement } from "bun:sqlite";
import type { NewReplay, ReplayProgress, ReplayRow } from "../../replay";
import type { Write } from "../commit/uncommitted";

export const replaySchema = `
  CREATE TABLE warren_replays (
    id TEXT PRIMARY KEY, logId TEXT NOT NULL, queue TEXT NOT NULL, fill INTEGER NOT NULL, selection TEXT NOT NULL,
    first INTEGER NOT NULL, position INTEGER NOT NULL, begun INTEGER NOT NULL, last INTEGER NOT NULL, sent INTEGER NOT NULL,
    createdAt TEXT NOT NULL, finishedAt TEXT, error TEXT
  ) STRICT;
`;

/** Added later, so it is a migration of its own. */
export const refusedColumn = "ALTER TABLE warren_replays ADD COLUMN refused INTEGER NOT NULL DEFAULT 0";

/** @param prepare prepares the statements that write. Default: they write immediately. */
export function replayTable(db: Database, prepare: (sql: string) => Write = (sql) => writeAtOnce(db, sql)) {
  const add = prepare(
    `INSERT OR IGNORE INTO warren_replays (id, logId, queue, fill, selection, first, position, begun, last, sent, createdAt)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?7, 0, ?8)`,
  );
  const get: Statement<ReplayRow, [string]> = db.prepare("SELECT * FROM warren_replays WHERE id = ?");
  const unfinished: Statement<ReplayRow, [string]> = db.prepare(
    "SELECT * FROM warren_replays WHERE logId = ? AND finishedAt IS NULL ORDER BY id",
  );
  const save = prepare(
    "UPDATE warren_replays SET position = ?, begun = ?, sent = ?, refused = ?, finishedAt = ?, error = ? WHERE id = ? AND finishedAt IS NULL",
  );
  const list: Statement<ReplayRow, [number]> = db.prepare("SELECT * FROM warren_replays ORDER BY id DESC LIMIT ?");
  return {
    add: ({ id, logId, queue, fill, selection, first, last, createdAt }: NewReplay): void =>
      add(id, logId, queue, fill, selection, first, last, createdAt),
    get: (id: string): ReplayRow | undefined => get.get(id) ?? undefined,
    /** Returns the unfinished replays of a log, oldest first. */
    unfinished: (logId: string): ReplayRow[] => unfinished.all(logId),
    /** Saves progress, unless the replay has finished. */
    save: (id: string, { position, begun, sent, refused, finishedAt, error }: ReplayProgress): void =>
      save(position, begun, sent, refused, finishedAt, error, id),
    /** Returns up to `limit` replays, newest first. */
    list: (limit: number): ReplayRow[] => list.all(limit),
  };
}

function writeAtOnce(db: Database, sql: string): Write {
  const statement = db.prepare(sql);
  return (...values) => void statement.run(...values);
}
