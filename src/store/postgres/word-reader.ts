import type { Queries } from "./queries";

/** Records to look for. */
export interface WordSearch {
  readonly slot: number;
  /** The records have all of these words. At least one. */
  readonly keys: readonly string[];
  /** Only records after this id. */
  readonly after: number | undefined;
  /** True if the ids descend. */
  readonly descending: boolean;
  /** Number of records with one word to look at first. */
  readonly first: number;
  /** Maximum number of such records. */
  readonly most: number;
}

/** Records that have all words. */
export interface WordsFound {
  /** In their order. */
  readonly ids: readonly number[];
  /** Id of the last record that it has looked at. */
  readonly last: number;
}

/** Maximum number of records to look at with one statement. */
const batch = 2000;
/** A word that fewer of the next records have is rare. */
const rare = 200;

/**
 * Reads the ids of the records that have all of some words: it goes along the rarest word, in the order of ids, and looks for the others.
 */
export class WordReader {
  #isEnd = false;

  private constructor(
    readonly queries: Queries,
    readonly search: WordSearch,
    readonly rarest: string,
  ) {}

  static async open(queries: Queries, search: WordSearch): Promise<WordReader> {
    const [first = ""] = search.keys;
    return new WordReader(queries, search, search.keys.length === 1 ? first : await rarestOf(queries, search));
  }

  /** True if all records were read. */
  get isEnd(): boolean {
    return this.#isEnd;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WordsFound> {
    const { slot, keys, descending, first, most } = this.search;
    const others = keys.filter((key) => key !== this.rarest);
    const sql = descending ? newest : oldest;
    let after = startOf(this.search);
    for (let [looked, next] = [0, first]; looked < most; next *= 2) {
      const limit = Math.min(next, batch, most - looked);
      const [found] = await this.queries.query<{ ids: number[] | null; last: number | null; looked: number }>(
        sql,
        slot,
        this.rarest,
        others,
        after,
        limit,
      );
      if (found?.last == null) {
        this.#isEnd = true;
        return;
      }
      looked += found.looked;
      after = found.last;
      this.#isEnd = found.looked < limit;
      yield { ids: found.ids ?? [], last: found.last };
      if (this.#isEnd) return;
    }
  }
}

function startOf({ after, descending }: WordSearch): number {
  return after ?? (descending ? Number.MAX_SAFE_INTEGER : 0);
}

/** Returns the word whose next occurrences are the farthest apart. */
async function rarestOf({ query }: Queries, search: WordSearch): Promise<string> {
  const [operator, direction] = search.descending ? ["<", "DESC"] : [">", "ASC"];
  const rows = await query<{ key: string }>(
    `SELECT v.key FROM unnest($2::text[]) v(key) ORDER BY
     (SELECT e.id FROM warren_entries e WHERE e.slot = $1 AND e.key = v.key AND e.id ${operator} $3 ORDER BY e.id ${direction} OFFSET ${rare} LIMIT 1)
     ${search.descending ? "ASC" : "DESC"} NULLS FIRST LIMIT 1`,
    search.slot,
    search.keys,
    startOf(search),
  );
  return rows[0]?.key ?? "";
}

// Subqueries for values are looked up one by one. A join could read all entries of a word, by statistics of an earlier time.
const [newest, oldest] = [true, false].map((descending) => {
  const [operator, direction, last] = descending ? ["<", " DESC", "min"] : [">", "", "max"];
  return `SELECT array_agg(f.id ORDER BY f.id${direction}) FILTER (WHERE f.has_all) AS ids, ${last}(f.id) AS last, count(*)::int AS looked FROM
    (SELECT e.id, coalesce((SELECT bool_and(
       (SELECT true FROM warren_entries x WHERE x.slot = $1 AND x.key = w.key AND x.id = e.id) IS NOT NULL) FROM unnest($3::text[]) w(key)), true) AS has_all
     FROM (SELECT n.id FROM warren_entries n WHERE n.slot = $1 AND n.key = $2 AND n.id ${operator} $4 ORDER BY n.id${direction} LIMIT $5) e) f`;
}) as [string, string];
