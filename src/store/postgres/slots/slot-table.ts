import type { Resource } from "../../../schema/resource";
import type { Database, TransactionQueries } from "../connection/queries";
import { declaredSlots, type SlotDefinition } from "./slot-definition";

/** After this time without a sign of life, a process does not run any more. */
const lifetime = "60 seconds";

/** Numbers of the slots that no program declares which runs. */
const unneeded = `SELECT s.slot FROM warren_slots s WHERE NOT s.is_dropped AND NOT EXISTS
  (SELECT FROM warren_programs p WHERE p.seen_at > now() - interval '${lifetime}' AND s.slot = ANY (p.slots))`;

/** The slots of all programs, and what this process does about them. */
export class SlotTable {
  /** @param lock the commit lock. */
  constructor(
    readonly database: Database,
    readonly lock: string,
    readonly process: string,
    readonly resources: readonly Resource[],
  ) {}

  /**
   * Adds the slots that this program declares and drops those that no program declares which runs. Resolves with the numbers of its own.
   */
  async register(): Promise<number[]> {
    return this.#locked(async (queries) => {
      const { query } = queries;
      const own: number[] = [];
      let isNew = false;
      for (const { name, plural, ...resource } of this.resources) {
        const rows = await query<{ slot: number; definition: string }>(
          "SELECT slot, definition FROM warren_slots WHERE resource = $1 AND NOT is_dropped",
          name,
        );
        const known = new Map(rows.map(({ slot, definition }) => [definition, slot]));
        const missing: string[] = [];
        for (const definition of declaredSlots({ name, plural, ...resource }).map(textOf)) {
          const slot = known.get(definition);
          if (slot === undefined) missing.push(definition);
          else own.push(slot);
        }
        if (missing.length === 0) continue;
        isNew = true;
        const added = await query<{ slot: number }>(
          `INSERT INTO warren_slots (resource, definition, last_id) SELECT $1, q.definition, (SELECT coalesce(max(id), 0) FROM "${plural}")
           FROM unnest($2::text[]) q(definition) RETURNING slot`,
          name,
          missing,
        );
        own.push(...added.map(({ slot }) => slot));
      }
      await query(
        `INSERT INTO warren_programs (process, slots) VALUES ($1, $2::int[])
         ON CONFLICT (process) DO UPDATE SET slots = excluded.slots, seen_at = now()`,
        this.process,
        own,
      );
      const dropped = await this.#drop(queries);
      if (isNew && !dropped) await nextVersion(queries);
      return own;
    });
  }

  /** Says that this process runs. Resolves with false if others took it for dead, or have dropped a slot that it declares. */
  async live(): Promise<boolean> {
    return this.database.transaction(async ({ query }) => {
      const [own] = await query<{ isWhole: boolean }>(
        `UPDATE warren_programs SET seen_at = now() WHERE process = $1 RETURNING NOT EXISTS (SELECT FROM unnest(slots) n(slot)
           WHERE NOT EXISTS (SELECT FROM warren_slots s WHERE s.slot = n.slot AND NOT s.is_dropped)) AS "isWhole"`,
        this.process,
      );
      return own?.isWhole === true;
    });
  }

  /** Notes that this process ends. */
  async leave(): Promise<void> {
    await this.database.transaction(async ({ query }) => {
      await query("DELETE FROM warren_programs WHERE process = $1", this.process);
      await query("UPDATE warren_slots SET filling_until = NULL WHERE filler = $1", this.process);
    });
  }

  /** Drops the slots that no program declares which runs, and some more. */
  async drop(more: readonly number[] = []): Promise<void> {
    if (more.length === 0 && (await this.database.query(unneeded)).length === 0) return;
    await this.#locked((queries) => this.#drop(queries, more));
  }

  /** Deletes the entries of dropped slots, until `isStopped` says to stop. */
  async clean(isStopped: () => boolean): Promise<void> {
    const dropped = await this.database.query<{ slot: number }>("SELECT slot FROM warren_slots WHERE is_dropped");
    for (const { slot } of dropped) {
      for (const table of ["warren_entries", "warren_unique_values"]) {
        for (let deleted = cleaned; deleted === cleaned; ) {
          if (isStopped()) return;
          const rows = await this.database.transaction(({ query }) =>
            query(
              `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE slot = $1 LIMIT ${cleaned})) RETURNING 1`,
              slot,
            ),
          );
          deleted = rows.length;
        }
      }
      await this.database.transaction(({ query }) => query("DELETE FROM warren_slots WHERE slot = $1", slot));
    }
  }

  /**
   * Claims slots that lack entries of older records, for a few seconds. Resolves with those that lack some, and whether this process may
   * fill each.
   */
  async claim(slots: readonly number[]): Promise<{ slot: number; filledTo: number; lastId: number; isOwn: boolean }[]> {
    return this.database.transaction(async ({ query }) => {
      await query(
        `UPDATE warren_slots SET filler = $2, filling_until = now() + interval '${claimedFor}' WHERE slot = ANY ($1::int[])
         AND filled_to < last_id AND NOT is_dropped AND (filler = $2 OR filling_until IS NULL OR filling_until < now())`,
        slots,
        this.process,
      );
      return query(
        `SELECT slot, filled_to AS "filledTo", last_id AS "lastId", coalesce(filler = $2, false) AS "isOwn" FROM warren_slots
         WHERE slot = ANY ($1::int[]) AND filled_to < last_id AND NOT is_dropped ORDER BY slot`,
        slots,
        this.process,
      );
    });
  }

  async #drop(queries: TransactionQueries, more: readonly number[] = []): Promise<boolean> {
    await queries.query(`DELETE FROM warren_programs WHERE seen_at < now() - interval '${lifetime}'`);
    const dropped = await queries.query(
      `UPDATE warren_slots SET is_dropped = true WHERE NOT is_dropped AND (slot = ANY ($1::int[]) OR slot IN (${unneeded})) RETURNING slot`,
      more,
    );
    if (dropped.length > 0) await nextVersion(queries);
    return dropped.length > 0;
  }

  /** Runs a transaction during which nothing else is committed. */
  #locked<T>(work: (queries: TransactionQueries) => Promise<T>): Promise<T> {
    return this.database.transaction(async (queries) => {
      await queries.query("SELECT pg_advisory_xact_lock($1::bigint)", this.lock);
      return work(queries);
    });
  }
}

/** Number of entries to delete at a time. */
const cleaned = 5000;
/** How long a process that fills slots may be silent. */
const claimedFor = "10 seconds";

async function nextVersion({ query }: TransactionQueries): Promise<void> {
  await query("UPDATE warren_slots_version SET version = version + 1");
}

function textOf(definition: SlotDefinition): string {
  return JSON.stringify(definition);
}
