import type { Database } from "bun:sqlite";
import { now } from "../../../timing/clock";
import type { Store } from "../../store";
import type { GroupCommit } from "../commit/group-commit";

/** Table with the time at which each position of the relay was stored. */
export const relayTimesSchema = `
  -- When a position of the relay was stored, in milliseconds since 1970; null: before that was kept.
  CREATE TABLE relay_times (position INTEGER PRIMARY KEY, at INTEGER) STRICT;
  INSERT INTO relay_times SELECT position, NULL FROM relay WHERE position > 0;
`;

export function relayPosition(db: Database, commits: GroupCommit): Store["relayed"] {
  const save = commits.uncommitted.prepare("UPDATE relay SET position = ?");
  const saveTime = commits.uncommitted.prepare("INSERT OR IGNORE INTO relay_times VALUES (?, ?)");
  return {
    load: async () => relayedIn(db),
    takeOver: async () => relayedIn(db),
    save: async (position) => {
      await commits.run(() => {
        save(position);
        saveTime(position, now());
      });
      return true;
    },
  };
}

/** Returns the position up to which RabbitMQ has confirmed the log. */
export function relayedIn(db: Database): number {
  return db.query<{ position: number }, []>("SELECT position FROM relay").get()?.position ?? 0;
}
