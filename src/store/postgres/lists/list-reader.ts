import type { Resource } from "../../../schema/resource";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";

/** A place in an index: a key, and the id of a record with it. */
export interface KeyPlace {
  readonly key: string;
  readonly id: number;
}

/** Keys of an index after one place and before another. If they descend, `after` is the greater one. */
export interface KeySpan {
  readonly slot: number;
  readonly after: KeyPlace;
  /** The first key that is not in it; the last one that is in it if the keys descend. */
  readonly end: string;
  readonly descending: boolean;
}

const columns = "r.id, r.version, r.shape, r.json";

/**
 * Reads the entries and records of one resource's lists. Each statement reads one range of an index, or one for each of a few values, with a
 * limit.
 */
export class ListReader {
  readonly #table: string;

  constructor({ plural }: Pick<Resource, "plural">) {
    this.#table = `"${plural}"`;
  }

  /** Reads records in the order of their ids, from after an id on. */
  async byId({ query }: Queries, after: number | undefined, descending: boolean, limit: number): Promise<StoredRow[]> {
    const [operator, direction, none] = descending ? ["<", " DESC", Number.MAX_SAFE_INTEGER] : [">", "", 0];
    return query<StoredRow>(
      `SELECT ${columns} FROM ${this.#table} r WHERE r.id ${operator} $1 ORDER BY r.id${direction} LIMIT $2`,
      after ?? none,
      limit,
    );
  }

  /** Reads records in the order of their keys. */
  async along({ query }: Queries, { slot, after, end, descending }: KeySpan, limit: number): Promise<StoredRow[]> {
    return query<StoredRow>(this.#inOrderOf(`ARRAY (${descending ? idsDescending : idsAscending})`), slot, after.key, after.id, end, limit);
  }

  /** Reads some records, in the order in which their ids are given. */
  async records({ query }: Queries, ids: readonly number[]): Promise<StoredRow[]> {
    return ids.length === 0 ? [] : query<StoredRow>(this.#inOrderOf("$1::bigint[]"), ids);
  }

  /** Counts all records, up to `limit`. */
  async count({ query }: Queries, limit: number): Promise<number> {
    return numberIn(
      await query<{ n: number }>(`SELECT count(*) AS n FROM (SELECT r.id FROM ${this.#table} r ORDER BY r.id LIMIT $1) f`, limit),
    );
  }

  /**
   * SQL for the records of an array of ids, in its order. With OFFSET, each is looked up by itself: a join could read the whole table, by
   * statistics of an earlier time.
   */
  #inOrderOf(ids: string): string {
    return `SELECT ${columns} FROM unnest(${ids}) WITH ORDINALITY f(id, n)
      CROSS JOIN LATERAL (SELECT ${columns} FROM ${this.#table} r WHERE r.id = f.id OFFSET 0) r ORDER BY f.n`;
  }
}

const idsAscending =
  "SELECT e.id FROM warren_entries e WHERE e.slot = $1 AND (e.key, e.id) > ($2, $3) AND e.key < $4 ORDER BY e.key, e.id LIMIT $5";
const idsDescending =
  "SELECT e.id FROM warren_entries e WHERE e.slot = $1 AND (e.key, e.id) < ($2, $3) AND e.key >= $4 ORDER BY e.key DESC, e.id DESC LIMIT $5";

/** Reads ids of a range of keys, in the order of the keys. */
export async function idsAlong({ query }: Queries, { slot, after, end }: KeySpan, limit: number): Promise<number[]> {
  return idsIn(await query<{ id: number }>(idsAscending, slot, after.key, after.id, end, limit));
}

/** Reads, for each of some keys, ids in their order, from after an id on. Resolves with the ids of each key. */
export async function idsWith(
  { query }: Queries,
  { slot, keys }: { readonly slot: number; readonly keys: readonly string[] },
  after: number | undefined,
  descending: boolean,
  limit: number,
): Promise<number[][]> {
  const [operator, direction, none] = descending ? ["<", " DESC", Number.MAX_SAFE_INTEGER] : [">", "", 0];
  const rows = await query<{ ids: number[] }>(
    `SELECT ARRAY (SELECT e.id FROM warren_entries e WHERE e.slot = $1 AND e.key = v.key AND e.id ${operator} $3 ORDER BY e.id${direction} LIMIT $4) AS ids
     FROM unnest($2::text[]) WITH ORDINALITY v(key, n) ORDER BY v.n`,
    slot,
    keys,
    after ?? none,
    limit,
  );
  return rows.map(({ ids }) => ids);
}

/** Reads the ids of the records that have some unique values, in any order. */
export async function idsOfValues({ query }: Queries, slot: number, values: readonly string[]): Promise<number[]> {
  return idsIn(
    await query<{ id: number }>("SELECT w.id FROM warren_unique_values w WHERE w.slot = $1 AND w.value = ANY ($2)", slot, values),
  );
}

/** Counts the entries of a range of keys, up to `limit`. */
export async function countAlong({ query }: Queries, { slot, after, end }: KeySpan, limit: number): Promise<number> {
  return numberIn(await query<{ n: number }>(`SELECT count(*) AS n FROM (${idsAscending}) f`, slot, after.key, after.id, end, limit));
}

/** Counts the entries of some keys, of each up to `limit`. */
export async function countWith(
  { query }: Queries,
  { slot, keys }: { readonly slot: number; readonly keys: readonly string[] },
  limit: number,
): Promise<number> {
  return numberIn(
    await query<{ n: number }>(
      `SELECT count(*) AS n FROM unnest($2::text[]) v(key)
       CROSS JOIN LATERAL (SELECT e.id FROM warren_entries e WHERE e.slot = $1 AND e.key = v.key LIMIT $3) f`,
      slot,
      keys,
      limit,
    ),
  );
}

function numberIn(rows: readonly { readonly n: number }[]): number {
  return rows[0]?.n ?? 0;
}

function idsIn(rows: readonly { readonly id: number }[]): number[] {
  return rows.map(({ id }) => id);
}
