import { now } from "../../../timing/clock";
import { LeadLost } from "../../errors";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";
import { logEnd } from "../log/log-state";

/**
 * The position of the relay. Each leader writes its epoch into the row before it reads the position, and saves only while the row has
 * it: a leader that was suspended cannot move the position of a later one.
 */
export function relayPosition({ query, writer }: Pick<Database, "query" | "writer">): Store["relayed"] {
  return {
    load: () => relayedIn({ query }),
    async takeOver({ epoch }) {
      // A position after the end of the log, which was restored, would pass over the next events.
      const [row] = await writer.query<{ position: number }>(
        `UPDATE relay SET epoch = $1, position = least(relay.position, ${logEnd}) FROM meta WHERE epoch <= $1 RETURNING relay.position`,
        epoch,
      );
      if (!row) throw new LeadLost("Another process has taken over the relay.");
      return row.position;
    },
    async save(position, { epoch }) {
      // Not flushed: after a crash of the database, some events are sent again.
      const [row] = await writer.query<{ saved: number }>(
        `WITH saved AS (UPDATE relay SET position = $1 WHERE epoch = $2 RETURNING position),
           timed AS (INSERT INTO relay_times (position, at) SELECT position, $3 FROM saved ON CONFLICT DO NOTHING)
         SELECT count(*)::int AS saved FROM saved, set_config('synchronous_commit', 'off', true)`,
        position,
        epoch,
        now(),
      );
      return row?.saved === 1;
    },
  };
}

/** Resolves with the position up to which RabbitMQ has confirmed the log. */
export async function relayedIn({ query }: Queries): Promise<number> {
  const [row] = await query<{ position: number }>("SELECT position FROM relay");
  return row?.position ?? 0;
}
