import type { Database } from "bun:sqlite";
import type { RelayTrouble } from "../../relay-trouble";
import type { GroupCommit } from "../commit/group-commit";

/** Keeps why the relay cannot send events, for other processes to read. */
export const relayTroubleSchema = `
  CREATE TABLE relay_trouble (
    one INTEGER PRIMARY KEY CHECK (one = 1), queue TEXT, what TEXT NOT NULL, since TEXT NOT NULL
  ) STRICT
`;

export function savedRelayTrouble(db: Database, commits: GroupCommit) {
  const forget = commits.uncommitted.prepare("DELETE FROM relay_trouble");
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO relay_trouble VALUES (1, ?, ?, ?)");
  return {
    save: (trouble: RelayTrouble | null) => commits.run(() => (trouble ? save(trouble.queue, trouble.what, trouble.since) : forget())),
    get: async () => relayTroubleIn(db),
  };
}

export function relayTroubleIn(db: Database): RelayTrouble | null {
  return db.query<RelayTrouble, []>("SELECT queue, what, since FROM relay_trouble").get();
}
