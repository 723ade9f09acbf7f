import type { Resource } from "../../../schema/resource";
import { type Count, countAtMost, rankedAtMost, relevance } from "../../listing";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";
import { allWords } from "../slots/slot-entries";
import { countWith, type ListReader } from "./list-reader";
import type { ListSlots } from "./list-slots";
import { ranked } from "./ranking";
import { type SearchWords, searchWords } from "./search-words";
import { WordReader } from "./word-reader";

/** Returns whether a record matches the filters of a search. */
type Matches = (row: StoredRow) => boolean;

/** Maximum number of records with one word in which a page looks for the other words. */
const candidatesAtMost = 10_000;
/** The same for a search by relevance, which has one page only. */
const rankedCandidatesAtMost = 100_000;
/** Number of records to read at a time. */
const batch = 200;

/** The full-text search of a resource. */
export class ListSearch {
  constructor(
    readonly resource: Resource,
    readonly slots: ListSlots,
    readonly reader: ListReader,
  ) {}

  /** @throws {TypeError} if the resource has no search, or it cannot have this order. Code that is not type-checked may ask for it. */
  wordsOf(text: string, sort: readonly string[]): SearchWords {
    const { search, name } = this.resource;
    if (search.length === 0) throw new TypeError(`The lists of "${name}" cannot be searched.`);
    if (!["id", "-id", relevance].includes(sort.join())) throw new TypeError(`A search cannot be sorted by "${sort.join(",")}".`);
    return searchWords(text, search);
  }

  /**
   * Reads the next records that have the words, in the order of ids.
   *
   * @param filter Default: all records match.
   * @param page.readAtMost maximum number of records to read to find those that match.
   * @returns up to `limit` records. If these are not the last ones, `next` is the id up to which it has looked.
   */
  async page(
    queries: Queries,
    words: SearchWords,
    filter: Matches | undefined,
    { after, descending, limit, readAtMost }: { after: number | undefined; descending: boolean; limit: number; readAtMost: number },
  ): Promise<{ readonly rows: StoredRow[]; readonly next: number | null }> {
    const rows: StoredRow[] = [];
    if (words.keys.length === 0) return { rows, next: null };
    const matches = this.#matcherOf(words, filter);
    const candidates = this.#candidates(queries, words, after, descending, {
      first: matches ? batch : limit,
      most: candidatesAtMost,
    });
    let reached = after ?? 0;
    let read = 0;
    for await (const { ids, last } of candidates) {
      for (let start = 0; start < ids.length; ) {
        const part = ids.slice(start, start + Math.min(batch, matches ? readAtMost - read : limit - rows.length));
        if (part.length === 0) return { rows, next: reached };
        for (const row of await this.reader.records(queries, part)) {
          if (!matches || matches(row)) rows.push(row);
          if (rows.length === limit) return { rows, next: null };
        }
        [start, read, reached] = [start + part.length, read + part.length, part.at(-1) as number];
      }
      reached = last;
    }
    return { rows, next: candidates.isEnd ? null : reached };
  }

  /** Reads the records that match best among the newest {@link rankedAtMost} that have the words. */
  async best(queries: Queries, words: SearchWords, filter: Matches | undefined, limit: number): Promise<StoredRow[]> {
    if (words.keys.length === 0) return [];
    const ids: number[] = [];
    const isIn = this.#matcherOf(words, undefined);
    const bounds = { first: rankedAtMost, most: rankedCandidatesAtMost };
    for await (const found of this.#candidates(queries, words, undefined, true, bounds)) {
      const rest = found.ids.slice(0, rankedAtMost - ids.length);
      ids.push(...(isIn ? await this.#matching(queries, rest, isIn) : rest));
      if (ids.length >= rankedAtMost) break;
    }
    const best = await this.#ranked(queries, words, ids);
    const rows: StoredRow[] = [];
    for (let start = 0; start < best.length && rows.length < limit; start += batch) {
      const size = filter ? batch : Math.min(batch, limit - rows.length);
      const found = await this.reader.records(queries, best.slice(start, start + size));
      rows.push(...(filter ? found.filter(filter) : found));
    }
    return rows.slice(0, limit);
  }

  /** Counts the records that match, up to {@link countAtMost}. */
  async count(queries: Queries, words: SearchWords, filter: Matches | undefined): Promise<Count> {
    const { keys } = words;
    if (keys.length === 0) return { value: 0, isExact: true };
    const matches = this.#matcherOf(words, filter);
    if (keys.length === 1 && !matches) {
      const value = await countWith(queries, { slot: this.slots.numberOfWords, keys }, countAtMost + 1);
      return { value: Math.min(value, countAtMost), isExact: value <= countAtMost };
    }
    const candidates = this.#candidates(queries, words, undefined, true, { first: countAtMost, most: countAtMost });
    let value = 0;
    for await (const { ids } of candidates) value += matches ? (await this.#matching(queries, ids, matches)).length : ids.length;
    return { value, isExact: candidates.isEnd };
  }

  /** Returns what to look for in a record itself. Undefined if its entries say all. */
  #matcherOf({ isIn }: SearchWords, filter: Matches | undefined): Matches | undefined {
    if (!isIn) return filter;
    return (row) => isIn(JSON.parse(row.json) as object) && (!filter || filter(row));
  }

  #candidates(
    queries: Queries,
    { keys }: SearchWords,
    after: number | undefined,
    descending: boolean,
    bounds: { readonly first: number; readonly most: number },
  ): WordReader {
    return new WordReader(queries, { slot: this.slots.numberOfWords, keys, after, descending, ...bounds });
  }

  async #matching(queries: Queries, ids: readonly number[], matches: Matches): Promise<number[]> {
    const found: number[] = [];
    for (let start = 0; start < ids.length; start += batch) {
      const rows = await this.reader.records(queries, ids.slice(start, start + batch));
      found.push(...rows.filter(matches).map(({ id }) => id));
    }
    return found;
  }

  async #ranked(queries: Queries, { keys }: SearchWords, ids: readonly number[]): Promise<number[]> {
    const slot = this.slots.numberOfWords;
    const rows = await queries.query<{ id: number; word: string; count: number | null }>(
      `SELECT i.id, w.key AS word, (SELECT e.count FROM warren_entries e WHERE e.slot = $1 AND e.key = w.key AND e.id = i.id) AS count
       FROM unnest($2::text[]) w(key) CROSS JOIN unnest($3::bigint[]) i(id)`,
      slot,
      [...keys, allWords],
      ids,
    );
    const lengths = new Map(rows.filter(({ word }) => word === allWords).map(({ id, count }) => [id, count ?? 0]));
    const frequencies =
      keys.length === 1 ? [] : keys.map(async (key) => [key, await countWith(queries, { slot, keys: [key] }, countAtMost)] as const);
    return ranked(
      rows.filter(({ word }) => word !== allWords).map(({ count, ...row }) => ({ ...row, count: count ?? 0 })),
      lengths,
      new Map(await Promise.all(frequencies)),
      countAtMost,
    );
  }
}
