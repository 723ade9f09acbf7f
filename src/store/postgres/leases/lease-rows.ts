import type { Database } from "../connection/queries";
import type { LeaseTable } from "./lease-table";
import { leaseMs } from "./leased-task";

/** Time of a lease that the clock of the database gives, in microseconds since 1970: a number has room for it. */
const micros = "(extract(epoch FROM warren_leases.expires_at) * 1000000)::bigint";
/** A first epoch that is greater than that of any lease of which somebody has deleted the row. */
const firstEpoch = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const expiry = `clock_timestamp() + interval '${leaseMs} milliseconds'`;

/**
 * Returns the leases of all processes that share the schema.
 *
 * @param holder this process.
 */
export function leaseRows({ query, writer }: Pick<Database, "query" | "writer">, holder: string): LeaseTable {
  return {
    async look(task) {
      const [row] = await query<{ epoch: number; expiresAt: number; leftMs: number }>(
        `SELECT epoch, ${micros} AS "expiresAt", (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS "leftMs"
         FROM warren_leases WHERE name = $1`,
        task,
      );
      return row;
    },
    async take(task, seen) {
      const [row] = await writer.query<{ epoch: number }>(
        `INSERT INTO warren_leases (name, holder, epoch, expires_at) VALUES ($1, $2, ${firstEpoch}, ${expiry})
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = warren_leases.epoch + 1, expires_at = ${expiry}
         WHERE warren_leases.epoch = $3::bigint AND ${micros} = $4::bigint
         RETURNING epoch`,
        task,
        holder,
        seen?.epoch ?? null,
        seen?.expiresAt ?? null,
      );
      return row?.epoch;
    },
    async renew(held) {
      const rows = await writer.query<{ name: string }>(
        `UPDATE warren_leases SET expires_at = ${expiry} FROM unnest($2::text[], $3::bigint[]) AS held(name, epoch)
         WHERE warren_leases.name = held.name AND warren_leases.epoch = held.epoch AND holder = $1
         RETURNING warren_leases.name`,
        holder,
        [...held.keys()],
        [...held.values()],
      );
      return new Set(rows.map(({ name }) => name));
    },
    async release(task, epoch) {
      await writer.query(
        "UPDATE warren_leases SET expires_at = clock_timestamp() WHERE name = $1 AND epoch = $2 AND holder = $3",
        task,
        epoch,
        holder,
      );
    },
  };
}
