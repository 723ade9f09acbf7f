import type { Database, Statement } from "bun:sqlite";
import type { ConsumerData, Progress } from "../../consumer/store";
import type { Synchronous } from "./in-turn";

type ProgressTables = Synchronous<Pick<ConsumerData, "progress" | "saveProgress" | "saveFollows" | "followedTypes">>;

/** Where the consumer is in a log, and what it reads there. */
export function progressTables(db: Database): ProgressTables {
  const progress: Statement<Progress, [string]> = db.prepare("SELECT position, begun FROM warren_progress WHERE log_id = ?");
  const saveProgress = db.prepare("INSERT OR REPLACE INTO warren_progress VALUES (?, ?, ?)");
  const saveFollows = db.prepare("INSERT INTO warren_follows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET types = excluded.types");
  const followed: Statement<{ types: string }, [string]> = db.prepare("SELECT types FROM warren_follows WHERE log_id = ?");
  return {
    progress: (logId) => progress.get(logId) ?? undefined,
    saveProgress: (logId, { position, begun }) => void saveProgress.run(logId, position, begun),
    saveFollows: (logId, start, types) => void saveFollows.run(logId, start, JSON.stringify(types)),
    followedTypes: (logId) => {
      const found = followed.get(logId);
      return found ? (JSON.parse(found.types) as string[]) : undefined;
    },
  };
}
