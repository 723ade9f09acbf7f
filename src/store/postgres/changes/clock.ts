import { CommitClock } from "../../changes/commit-clock";
import type { Queries } from "../connection/queries";

/** Returns a clock that goes on from the newest time in the log. */
export async function clockOf({ query }: Queries): Promise<CommitClock> {
  const newest = "SELECT id::text AS id, timestamp FROM events ORDER BY position DESC LIMIT 1";
  const [{ id, timestamp } = { id: "", timestamp: "" }] = await query<{ id: string; timestamp: string }>(newest);
  return new CommitClock(id, [timestamp]);
}
