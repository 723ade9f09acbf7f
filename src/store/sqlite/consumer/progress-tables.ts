import type { Database, Statement } from "bun:sqlite";
import type { Progress } from "../../consumer/lanes";
import type { ConsumerData } from "../../consumer/store";
import type { Synchronous } from "./in-turn";

type ProgressTables = Synchronous<Pick<ConsumerData, "progress" | "begin" | "takeLanes" | "saveProgress" | "followedTypes">>;

/** Where the consumer is in a log, and what it reads there. A file has one lane, and the lock beside it keeps other processes away. */
export function progressTables(db: Database): ProgressTables {
  const find: Statement<Progress, [string]> = db.prepare("SELECT position, begun FROM warren_progress WHERE log_id = ?");
  const begin = db.prepare("INSERT OR IGNORE INTO warren_progress VALUES (?1, ?2, ?2)");
  const save = db.prepare("INSERT OR REPLACE INTO warren_progress VALUES (?, ?, ?)");
  const follow = db.prepare("INSERT INTO warren_follows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET types = excluded.types");
  const followed: Statement<{ types: string }, [string]> = db.prepare("SELECT types FROM warren_follows WHERE log_id = ?");
  const progress = (logId: string) => find.get(logId) ?? undefined;
  return {
    progress,
    begin(logId, position, types) {
      // A file from before this table has read a log and not said from where.
      const isNew = begin.run(logId, position).changes > 0;
      follow.run(logId, isNew ? position : 0, JSON.stringify(types));
    },
    takeLanes: (logId, lanes) => lanes.map(() => progress(logId) ?? { position: 0, begun: 0 }),
    saveProgress(logId, lanes) {
      for (const { position, begun } of lanes) save.run(logId, position, begun);
      return [];
    },
    followedTypes: (logId) => {
      const found = followed.get(logId);
      return found ? (JSON.parse(found.types) as string[]) : undefined;
    },
  };
}
