import type { Database, Statement } from "bun:sqlite";

/** A replay of past events to one queue, and how far it has come. */
export interface ReplayRow {
  /** UUIDv7. */
  readonly id: string;
  readonly logId: string;
  readonly queue: string;
  /** 1: it fills a new queue, which is bound to present events at its end. */
  readonly fill: number;
  /** What is replayed, as JSON. */
  readonly selection: string;
  /** Where it began. */
  readonly first: number;
  /** Everything up to here is settled. */
  readonly position: number;
  /** Everything after `position` and up to here may have reached the handler. */
  readonly begun: number;
  /** The position of the last event. */
  readonly last: number;
  /** Events that matched so far. */
  readonly sent: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Why it could not be finished. */
  readonly error: string | null;
}

export type NewReplay = Pick<ReplayRow, "id" | "logId" | "queue" | "fill" | "selection" | "first" | "last" | "createdAt">;
export type ReplayProgress = Pick<ReplayRow, "position" | "begun" | "sent" | "finishedAt" | "error">;

export interface ReplayTable {
  add(replay: NewReplay): void;
  get(id: string): ReplayRow | undefined;
  /** Those of this log that have not finished, the oldest first. */
  unfinished(logId: string): ReplayRow[];
  save(id: string, progress: ReplayProgress): void;
  /** The newest first. */
  list(limit: number): ReplayRow[];
}

export const replaySchema = `
  CREATE TABLE warren_replays (
    id TEXT PRIMARY KEY, logId TEXT NOT NULL, queue TEXT NOT NULL, fill INTEGER NOT NULL, selection TEXT NOT NULL,
    first INTEGER NOT NULL, position INTEGER NOT NULL, begun INTEGER NOT NULL, last INTEGER NOT NULL, sent INTEGER NOT NULL,
    createdAt TEXT NOT NULL, finishedAt TEXT, error TEXT
  ) STRICT;
`;

export function replayTable(db: Database): ReplayTable {
  const add = db.prepare(
    `INSERT INTO warren_replays (id, logId, queue, fill, selection, first, position, begun, last, sent, createdAt)
     VALUES ($id, $logId, $queue, $fill, $selection, $first, $first, $first, $last, 0, $createdAt)`,
  );
  const get: Statement<ReplayRow, [string]> = db.prepare("SELECT * FROM warren_replays WHERE id = ?");
  const unfinished: Statement<ReplayRow, [string]> = db.prepare(
    "SELECT * FROM warren_replays WHERE logId = ? AND finishedAt IS NULL ORDER BY id",
  );
  const save = db.prepare(
    `UPDATE warren_replays SET position = $position, begun = $begun, sent = $sent, finishedAt = $finishedAt, error = $error WHERE id = $id`,
  );
  const list: Statement<ReplayRow, [number]> = db.prepare("SELECT * FROM warren_replays ORDER BY id DESC LIMIT ?");
  return {
    add: (replay) => void add.run({ ...replay }),
    get: (id) => get.get(id) ?? undefined,
    unfinished: (logId) => unfinished.all(logId),
    save: (id, progress) => void save.run({ id, ...progress }),
    list: (limit) => list.all(limit),
  };
}
