import type { Lane } from "../../consumer/lanes";
import type { Queries } from "../connection/queries";
import { leaseMs } from "../leases/leased-task";

/** A lane, and the process that has it. */
export interface SeenLane extends Lane {
  /** Null if the lane was released, or nobody ever had it. */
  readonly holder: string | null;
  /** Changes with each renewal. */
  readonly expiresAt: number;
}

/** A process that consumes a queue. */
export interface SeenMember {
  readonly holder: string;
  /** Changes with each renewal. */
  readonly expiresAt: number;
}

/** Who consumes a queue, as one process sees it. */
export interface SeenQueue {
  /** The processes that consume it by the clock of the database, this one included, sorted. */
  readonly members: readonly SeenMember[];
  readonly lanes: readonly SeenLane[];
}

const expiry = `clock_timestamp() + interval '${leaseMs} milliseconds'`;
/** How long the row of a member that died is kept, at least. */
const kept = "interval '1 hour'";

/** The processes that consume a queue and their lanes, in the queue's schema. Each method may reject if the database cannot be reached. */
export class MemberTable {
  readonly #lanes: string;
  readonly #members: string;

  /** @param queries a connection of its own, on which nothing else keeps the renewals waiting. */
  constructor(
    readonly queries: Queries,
    readonly schema: string,
    readonly holder: string,
  ) {
    this.#lanes = `"${schema}".warren_lanes`;
    this.#members = `"${schema}".warren_members`;
  }

  /** Renews the membership of this process and its lanes. Resolves with what there is after that. */
  async renew(held: readonly Lane[]): Promise<SeenQueue> {
    const { queries, holder } = this;
    const renewed = queries.query(
      `INSERT INTO ${this.#members} VALUES ($1, ${expiry}) ON CONFLICT (holder) DO UPDATE SET expires_at = ${expiry}`,
      holder,
    );
    const lanes = queries.query(
      `UPDATE ${this.#lanes} SET expires_at = ${expiry} FROM unnest($2::int[], $3::bigint[]) AS held(lane, epoch)
       WHERE ${this.#lanes}.lane = held.lane AND ${this.#lanes}.epoch = held.epoch AND holder = $1`,
      holder,
      held.map(({ number }) => number),
      held.map(({ epoch }) => epoch),
    );
    const members = queries.query<SeenMember>(
      `SELECT holder, (extract(epoch FROM expires_at) * 1000000)::bigint AS "expiresAt"
       FROM ${this.#members} WHERE expires_at > clock_timestamp() ORDER BY holder`,
    );
    const seen = queries.query<SeenLane>(
      `SELECT lane AS number, epoch, holder,
         CASE WHEN isfinite(expires_at) THEN (extract(epoch FROM expires_at) * 1000000)::bigint ELSE 0 END AS "expiresAt"
       FROM ${this.#lanes} ORDER BY lane`,
    );
    const [, , living, all] = await Promise.all([renewed, lanes, members, seen]);
    return { members: living, lanes: all };
  }

  /** Takes lanes that are still as they were seen. Resolves with those, in their new epochs. */
  async take(lanes: readonly SeenLane[]): Promise<Lane[]> {
    await this.#endTransactionsOf(lanes);
    return this.queries.query<Lane>(
      `UPDATE ${this.#lanes} SET holder = $1, epoch = ${this.#lanes}.epoch + 1, expires_at = ${expiry}
       FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS seen(lane, epoch, expires_at)
       WHERE ${this.#lanes}.lane = seen.lane AND ${this.#lanes}.epoch = seen.epoch
         AND (holder IS NULL OR (extract(epoch FROM ${this.#lanes}.expires_at) * 1000000)::bigint = seen.expires_at)
       RETURNING ${this.#lanes}.lane AS number, ${this.#lanes}.epoch`,
      this.holder,
      lanes.map(({ number }) => number),
      lanes.map(({ epoch }) => epoch),
      lanes.map(({ expiresAt }) => expiresAt),
    );
  }

  async release(lanes: readonly Lane[]): Promise<void> {
    await this.queries.query(
      `UPDATE ${this.#lanes} SET holder = NULL FROM unnest($2::int[], $3::bigint[]) AS held(lane, epoch)
       WHERE ${this.#lanes}.lane = held.lane AND ${this.#lanes}.epoch = held.epoch AND holder = $1`,
      this.holder,
      lanes.map(({ number }) => number),
      lanes.map(({ epoch }) => epoch),
    );
  }

  /** Releases all lanes of this process, which consumes the queue no longer. */
  async leave(): Promise<void> {
    const { queries, holder } = this;
    await Promise.all([
      queries.query(`UPDATE ${this.#lanes} SET holder = NULL WHERE holder = $1`, holder),
      queries.query(`DELETE FROM ${this.#members} WHERE holder = $1 OR expires_at < clock_timestamp() - ${kept}`, holder),
    ]);
  }

  /**
   * Ends the transactions of processes that have lost lanes: one that is frozen in a transaction would keep its rows locked, the ids of
   * events in the inbox among them.
   */
  async #endTransactionsOf(lanes: readonly SeenLane[]): Promise<void> {
    const holders = new Set(lanes.flatMap(({ holder }) => (holder === null || holder === this.holder ? [] : holder)));
    if (holders.size === 0) return;
    const sql =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY($1::text[]) AND pid <> pg_backend_pid()";
    // A role that may not do that waits until the server ends them.
    await this.queries.query(sql, [...holders]).catch(() => {});
  }
}
