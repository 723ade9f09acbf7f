import type { Database } from "bun:sqlite";
import type { Refusal } from "../../queue-store";
import type { Store } from "../../store";
import type { GroupCommit } from "../commit/group-commit";

export const refusalSchema = `
  CREATE TABLE refused_announcements (
    queue TEXT NOT NULL, problem TEXT NOT NULL, count INTEGER NOT NULL, lastAt INTEGER NOT NULL, PRIMARY KEY (queue, problem)
  ) STRICT, WITHOUT ROWID;`;

/** Maximum number of refusals to keep. It is limited because the sender chooses the queue names. */
const mostKept = 100;

export function refusalsIn(db: Database, commits: GroupCommit): Store["refusals"] {
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO refused_announcements VALUES (?, ?, ?, ?)");
  const removeOld = commits.uncommitted.prepare(
    `DELETE FROM refused_announcements WHERE (queue, problem) NOT IN
       (SELECT queue, problem FROM refused_announcements ORDER BY lastAt DESC LIMIT ${mostKept})`,
  );
  return {
    save: ({ queue, problem, count, lastAt }) =>
      commits.run(() => {
        save(queue, problem, count, lastAt);
        removeOld();
      }),
    list: async (since) => refusalsOf(db, since),
  };
}

export function refusalsOf(db: Database, since: number): Refusal[] {
  return db.query<Refusal, [number]>("SELECT * FROM refused_announcements WHERE lastAt > ? ORDER BY lastAt DESC").all(since);
}
