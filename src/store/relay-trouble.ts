import type { Database } from "bun:sqlite";
import type { GroupCommit } from "./group-commit";

/** What keeps the relay from sending events, for those who look from another process. */
export const relayTroubleSchema = `
  CREATE TABLE relay_trouble (
    one INTEGER PRIMARY KEY CHECK (one = 1), queue TEXT, what TEXT NOT NULL, since TEXT NOT NULL
  ) STRICT
`;

/** Why the relay waits. */
export interface RelayTrouble {
  /** The queue that it waits for. Null: none, or none that is known. */
  readonly queue: string | null;
  /** A sentence for a person. */
  readonly what: string;
  /** When it began (ISO 8601). */
  readonly since: string;
}

export function savedRelayTrouble(db: Database, commits: GroupCommit) {
  const forget = commits.uncommitted.prepare("DELETE FROM relay_trouble");
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO relay_trouble VALUES (1, ?, ?, ?)");
  return {
    save: (trouble: RelayTrouble | null) => commits.run(() => (trouble ? save(trouble.queue, trouble.what, trouble.since) : forget())),
    get: () => relayTroubleIn(db),
  };
}

export function relayTroubleIn(db: Database): RelayTrouble | null {
  return db.query<RelayTrouble, []>("SELECT queue, what, since FROM relay_trouble").get();
}
