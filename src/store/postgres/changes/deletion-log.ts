import type { DeletionLog } from "../../changes/deleted-referrers";
import type { Queries } from "../connection/queries";

/** Returns access to the events of deletions. */
export function deletionLog({ query }: Queries): DeletionLog {
  return {
    async end() {
      const [newest] = await query<{ position: number }>("SELECT position FROM events ORDER BY position DESC LIMIT 1");
      return newest?.position ?? 0;
    },
    deletions: (type, after, upTo) =>
      query(
        "SELECT type, subject, body FROM events WHERE type = $1 AND position > $2 AND position <= $3 ORDER BY position",
        type,
        after,
        upTo,
      ),
  };
}
