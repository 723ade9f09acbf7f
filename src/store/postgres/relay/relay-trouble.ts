import type { RelayTrouble } from "../../relay-trouble";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";

/** Why the relay cannot send events, as its last leader saved it. */
export function savedRelayTrouble({ query, writer }: Pick<Database, "query" | "writer">): Store["relayTrouble"] {
  return {
    get: () => relayTroubleIn({ query }),
    async save(trouble, { epoch }) {
      if (trouble) {
        await writer.query(
          `INSERT INTO warren_relay_trouble (queue, what, since) SELECT $1, $2, $3 FROM relay WHERE epoch <= $4
           ON CONFLICT (one) DO UPDATE SET queue = excluded.queue, what = excluded.what, since = excluded.since`,
          trouble.queue,
          trouble.what,
          trouble.since,
          epoch,
        );
      } else await writer.query("DELETE FROM warren_relay_trouble WHERE EXISTS (SELECT FROM relay WHERE epoch <= $1)", epoch);
    },
  };
}

export async function relayTroubleIn({ query }: Queries): Promise<RelayTrouble | null> {
  const [row] = await query<RelayTrouble>("SELECT queue, what, since FROM warren_relay_trouble");
  return row ?? null;
}
