import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import { CommitClock } from "../../changes/commit-clock";
import { storedField } from "../records/list-keys";

/** Returns a clock that goes on from the newest time in the database. */
export function clockOf(db: Database, resources: readonly Resource[]): CommitClock {
  const { id, timestamp } = db
    .query<{ id: string; timestamp: string }, []>("SELECT id, timestamp FROM events ORDER BY position DESC LIMIT 1")
    .get() ?? { id: "", timestamp: "" };
  return new CommitClock(id, [timestamp, ...resources.map((resource) => latestUpdate(db, resource))]);
}

/** Returns the newest `updatedAt` of a resource, or an empty string if it has no records. */
function latestUpdate(db: Database, { plural }: Resource): string {
  const value = storedField("updatedAt");
  const newest = `SELECT ${value} AS at FROM "${plural}" INDEXED BY "${plural}.updatedAt" ORDER BY ${value} DESC LIMIT 1`;
  return db.query<{ at: string }, []>(newest).get()?.at ?? "";
}
