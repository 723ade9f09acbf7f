import type { Queries } from "../connection/queries";
import { idsWith } from "./list-reader";

/** Records to look for. */
export interface WordSearch {
  readonly slot: number;
  /** The records have all of these words. At least one. */
  readonly keys: readonly string[];
  /** Only records after this id. */
  readonly after: number | undefined;
  /** True if the ids descend. */
  readonly descending: boolean;
  /** Number of records with a word to look at first. */
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

/**
 * Reads the ids of the records that have all of some words, in their order. At first, it reads the next ids of each word and compares them,
 * which suffices for words that many records have. Then it goes along the rarest word and looks for the others.
 */
export class WordReader {
  #isEnd = false;

  constructor(
    readonly queries: Queries,
    readonly search: WordSearch,
  ) {}

  /** True if all records were read. */
  get isEnd(): boolean {
    return this.#isEnd;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WordsFound> {
    const { keys, first, most } = this.search;
    let [rarest = "", looked, after] = [keys[0], 0, startOf(this.search)];
    if (keys.length > 1) {
      const limit = Math.min(first, batch, most);
      const found = await this.#compared(limit);
      if (found.ids.length > 0) yield found;
      if (this.#isEnd) return;
      [rarest, looked, after] = [found.rarest, limit, found.last];
    }
    for (let next = first; looked < most; next *= 2) {
      const limit = Math.min(next, batch, most - looked);
      const found = await this.#along(rarest, after, limit);
      if (!found) return;
      looked += found.looked;
      after = found.last;
      yield found;
      if (this.#isEnd) return;
    }
  }

  /** Reads the next ids of each word, and finds those that all have. */
  async #compared(limit: number): Promise<WordsFound & { readonly rarest: string }> {
    const { slot, keys, after, descending } = this.search;
    const read = await idsWith(this.queries, { slot, keys }, after, descending, limit);
    const isBefore = (a: number, b: number) => (descending ? a > b : a < b);
    // Of a word that has more, nothing is known after its last id.
    const ends = read.map((ids) => (ids.length < limit ? undefined : ids.at(-1)));
    let [last, rarest]: [number | undefined, number] = [undefined, 0];
    for (const [index, end] of ends.entries()) {
      if (end !== undefined && (last === undefined || isBefore(end, last))) last = end;
      const rare = ends[rarest];
      if (rare !== undefined && (end === undefined || isBefore(rare, end))) rarest = index;
    }
    const others = read.filter((_, index) => index !== rarest).map((ids) => new Set(ids));
    const common = (read[rarest] ?? []).filter((id) => others.every((ids) => ids.has(id)));
    const ids = common.filter((id) => last === undefined || !isBefore(last, id));
    // A word without further records ends the list.
    this.#isEnd = last === undefined || read.some(({ length }) => length === 0);
    return { ids, last: last ?? 0, rarest: keys[rarest] ?? "" };
  }

  /** Looks at the next records with one word for the others. Resolves with undefined if there are none. */
  async #along(word: string, after: number, limit: number): Promise<(WordsFound & { readonly looked: number }) | undefined> {
    const { slot, keys, descending } = this.search;
    const others = keys.filter((key) => key !== word);
    const [found] = await this.queries.query<{ ids: number[] | null; last: number | null; looked: number }>(
      descending ? newest : oldest,
      slot,
      word,
      others,
      after,
      limit,
    );
    this.#isEnd = found === undefined || found.looked < limit;
    return found?.last == null ? undefined : { ids: found.ids ?? [], last: found.last, looked: found.looked };
  }
}

function startOf({ after, descending }: WordSearch): number {
  return after ?? (descending ? Number.MAX_SAFE_INTEGER : 0);
}

// Subqueries for values are looked up one by one. A join could read all entries of a word, by statistics of an earlier time.
const [newest, oldest] = [true, false].map((descending) => {
  const [operator, direction, last] = descending ? ["<", " DESC", "min"] : [">", "", "max"];
  return `SELECT array_agg(f.id ORDER BY f.id${direction}) FILTER (WHERE f.has_all) AS ids, ${last}(f.id) AS last, count(*)::int AS looked FROM
    (SELECT e.id, coalesce((SELECT bool_and(
       (SELECT true FROM warren_entries x WHERE x.slot = $1 AND x.key = w.key AND x.id = e.id) IS NOT NULL) FROM unnest($3::text[]) w(key)), true) AS has_all
     FROM (SELECT n.id FROM warren_entries n WHERE n.slot = $1 AND n.key = $2 AND n.id ${operator} $4 ORDER BY n.id${direction} LIMIT $5) e) f`;
}) as [string, string];
