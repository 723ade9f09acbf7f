import type { Scalar } from "../../../schema/paths";
import type { Resource } from "../../../schema/resource";
import { type Given, ListConditions } from "../../list-conditions";
import { listMatcher } from "../../list-matches";
import { ListWays, type Way } from "../../list-ways";
import { type Listing, type Page, type Place, relevance } from "../../listing";
import type { Stored } from "../../stored";
import type { Queries } from "../connection/queries";
import { type StoredRow, upToDate } from "../records/stored-row";
import type { Slots } from "../slots/slots";
import { countOf } from "./list-count";
import { ListReader } from "./list-reader";
import { ListSearch } from "./list-search";
import { selectionOf } from "./list-selection";
import { ListSlots } from "./list-slots";
import { type MergedWalk, placeById, type Walk, walkAlong } from "./list-walk";
import type { SearchWords } from "./search-words";
import { sorted } from "./sorted-page";
import type { ListMeans, Wanted } from "./wanted-page";

/** Default of {@link Pages.readAtMost}. */
export const pageReads = 1000;
/** Maximum number of records to read with one statement. */
const batch = 1000;
/** Number of records to read first when not all of them match. */
const firstBatch = 100;

/**
 * Reads the pages of one resource's lists. The cost of a page depends on its size, not on its place in the list or on the
 * number of records. There are three ways to read one:
 *
 * 1. If an index has just the records that match, in the order of the list: from the place where the page starts.
 * 2. If the index of a filter finds few records: those, sorted.
 * 3. Otherwise: in the order of the list, keeping what matches, up to a maximum number of records read. Such a page may have fewer
 *    rows than it could.
 *
 * This process compares what no index has found.
 */
export class Pages implements ListMeans {
  readonly conditions: ListConditions;
  readonly slots: ListSlots;
  readonly reader: ListReader;
  readonly #ways: ListWays;
  readonly #search: ListSearch;

  /** @param readAtMost maximum number of records that a page reads to find those that match its filters. Default: {@link pageReads}. */
  constructor(
    readonly resource: Resource,
    slots: Slots,
    readonly readAtMost = pageReads,
  ) {
    this.conditions = new ListConditions(resource);
    this.slots = new ListSlots(resource, slots);
    this.reader = new ListReader(resource);
    this.#ways = new ListWays(this.conditions);
    this.#search = new ListSearch(resource, this.slots, this.reader);
  }

  /** @throws {TypeError} if the resource does not have such a sort order, filter or search. */
  async read(queries: Queries, listing: Listing): Promise<Page> {
    const { search, count } = listing;
    const { sort = search === undefined ? ["id"] : ["-id"] } = listing;
    const words = search === undefined ? undefined : this.#search.wordsOf(search, sort);
    const wanted = this.#wanted({ ...listing, sort });
    const way = words ? undefined : this.#ways.through(sort, wanted.given);
    // One of no values: no record matches.
    const isEmpty = wanted.given.some(({ condition }) => condition.exact?.length === 0);
    if (isEmpty) return { rows: [], next: null, ...(count && { count: { value: 0, isExact: true } }) };
    const { rows, next } = words ? await this.#find(queries, words, wanted) : await this.#list(queries, way as Way, wanted);
    const page = { rows: rows.map((row) => this.stored(row)), next };
    if (!count) return page;
    const counted = words ? this.#search.count(queries, words, filterOf(wanted)) : countOf(this, queries, wanted);
    return { ...page, count: await counted };
  }

  /**
   * Reads the records that have these values, by id. Resolves with null if there are more than `limit`, or it would read too many to find
   * them.
   *
   * @param where values of fields with the filter `exact`, by path.
   */
  async matching(queries: Queries, where: object, limit: number): Promise<readonly StoredRow[] | null> {
    const filters = Object.fromEntries(Object.entries(where).map(([path, value]) => [path, { exact: [value as Scalar | null] }]));
    const wanted = this.#wanted({ limit, sort: ["id"], filters });
    const { rows, next } = await this.#list(queries, this.#ways.through(wanted.sort, wanted.given), wanted);
    return next ? null : rows;
  }

  #wanted(listing: Listing & Pick<Wanted, "sort">): Wanted {
    const { limit, sort, after } = listing;
    const given = this.conditions.given(listing);
    const matches = listMatcher(this.resource, given);
    return { limit, sort, after, given, matches: (row) => matches(JSON.parse(this.stored(row).json) as object) };
  }

  stored(row: StoredRow): Stored {
    return upToDate(this.resource, row);
  }

  async #list(queries: Queries, way: Way, wanted: Wanted): Promise<Rows> {
    const walk = walkAlong(this.reader, this.slots, way);
    if (walk.covered.size < wanted.given.length) {
      const few = await this.#few(queries, wanted.given);
      if (few) return rowsOf(await sorted(this, queries, few, way, wanted), wanted.limit, null, walk.placeOf);
    }
    return "ids" in walk ? this.#merged(queries, walk, wanted) : this.#along(queries, walk, wanted);
  }

  /** Returns the ids that an index finds for a condition, if they are few. */
  async #few(queries: Queries, given: readonly Given[]): Promise<readonly number[] | undefined> {
    for (const one of given.filter((each) => this.conditions.hasIndex(each))) {
      const ids = await selectionOf(this.conditions, this.slots, one).read(queries, this.readAtMost + 1);
      if (ids.length <= this.readAtMost) return ids;
    }
    return undefined;
  }

  /** Reads a page along a way. If not all of its records match, keeps those that do, until the maximum number of records read. */
  async #along(queries: Queries, walk: Walk, { limit, after, given, matches }: Wanted): Promise<Rows> {
    const isWhole = walk.covered.size === given.length;
    const most = isWhole ? limit + 1 : this.readAtMost + 1;
    // By id, since a record that moves in the list while it is read may come twice.
    const kept = new Map<number, StoredRow>();
    let last: StoredRow | undefined;
    for (let [read, next] = [0, isWhole ? most : firstBatch]; kept.size <= limit; next *= 2) {
      const asked = Math.min(batch, next, most - read);
      const place = last ? walk.placeOf(last) : after;
      const rows = await walk.read(queries, place, asked);
      for (const row of rows) {
        read += 1;
        // The last one only shows that more follow the ones that this page reads.
        if (!isWhole && read === most) return rowsOf([...kept.values()], limit, last ? walk.placeOf(last) : null, walk.placeOf);
        last = row;
        if ((isWhole || matches(row)) && !kept.has(row.id)) kept.set(row.id, row);
        if (kept.size > limit) break;
      }
      if (rows.length < asked) break;
    }
    return rowsOf([...kept.values()], limit, null, walk.placeOf);
  }

  /** Merges the ids of several keys, which the list has in the order of the ids. */
  async #merged(queries: Queries, walk: MergedWalk, { limit, after, given, matches }: Wanted): Promise<Rows> {
    const isWhole = walk.covered.size === given.length;
    const most = isWhole ? limit + 1 : Math.max(1, Math.floor(this.readAtMost / walk.count));
    const found = await walk.ids(queries, after?.id, most + 1);
    const compare = (a: number, b: number) => (walk.descending ? b - a : a - b);
    // Nothing is known of the ids after the last one of a key that has more.
    const [end] = found.flatMap((ids) => (ids.length > most ? [ids[most - 1] as number] : [])).sort(compare);
    // A record may have several of the keys.
    const ids = [...new Set(found.flat())].filter((id) => end === undefined || compare(id, end) <= 0).sort(compare);
    const kept: StoredRow[] = [];
    for (let start = 0; start < ids.length && kept.length <= limit; ) {
      const size = Math.min(batch, isWhole ? limit + 1 - kept.length : batch);
      const rows = await this.reader.records(queries, ids.slice(start, start + size));
      // Also if all matched: a record may have changed since.
      kept.push(...rows.filter(matches));
      start += size;
    }
    return rowsOf(kept, limit, end === undefined ? null : { keys: [], id: end }, walk.placeOf);
  }

  async #find(queries: Queries, words: SearchWords, wanted: Wanted): Promise<Rows> {
    const { limit, sort, after } = wanted;
    const isRanked = sort.length === 1 && sort[0] === relevance;
    const filter = filterOf(wanted);
    if (isRanked) return { rows: await this.#search.best(queries, words, filter, limit), next: null };
    const bounds = { after: after?.id, descending: sort[0] === "-id", limit: limit + 1, readAtMost: this.readAtMost };
    const { rows, next } = await this.#search.page(queries, words, filter, bounds);
    return rowsOf(rows, limit, next === null ? null : { keys: [], id: next }, placeById);
  }
}

/** Records of a page, as they are stored. */
interface Rows {
  readonly rows: readonly StoredRow[];
  readonly next: Place | null;
}

/** @param found up to `limit` + 1 records. The extra one shows that another page follows. */
function rowsOf(found: readonly StoredRow[], limit: number, next: Place | null, placeOf: Walk["placeOf"]): Rows {
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? placeOf(rows.at(-1) as StoredRow) : next };
}

function filterOf({ given, matches }: Wanted): Wanted["matches"] | undefined {
  return given.length > 0 ? matches : undefined;
}
