import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import type { Given } from "../../list-conditions";
import type { Listing, Page, Place } from "../../listing";
import type { Stored } from "../../stored";
import { PendingTables } from "../changes/pending-entries";
import { type Bindings, Conditions } from "./list-conditions";
import { countOf } from "./list-count";
import { ListReader } from "./list-reader";
import { Search } from "./list-search";
import { Sources, type SqlWay } from "./list-sources";
import { bindingsOf, idsAfter, isAfter, orderOf } from "./list-walk";

/** Default of {@link Pages.readAtMost}. */
export const pageReads = 1000;

interface Means {
  readonly pending?: PendingTables;
  /** Default: {@link pageReads}. */
  readonly readAtMost?: number | undefined;
}

/** A page to read, with the conditions that its records must match. */
interface Wanted {
  readonly limit: number;
  readonly sort: readonly string[];
  readonly after: Place | undefined;
  readonly given: readonly Given[];
  /** Values for the parameters of all conditions. */
  readonly bindings: Bindings;
}

/**
 * Reads the pages of one resource's lists. The cost of a page depends on its size, not on its place in the list or on the
 * number of records. There are three ways to read one:
 *
 * 1. If an index has just the records that match, in the order of the list: from the place where the page starts.
 * 2. If the index of a filter finds few records: those, sorted.
 * 3. Otherwise: in the order of the list, keeping what matches, up to a maximum number of records read. Such a page may have fewer
 *    rows than it could.
 */
export class Pages {
  readonly #conditions: Conditions;
  readonly #sources: Sources;
  readonly #search: Search;
  readonly #reader: ListReader;

  /** Maximum number of records that a page reads to find those that match its filters. */
  readonly readAtMost: number;

  /** @param means.pending the changes of side tables that are not in them yet. Default: none. */
  constructor(db: Database, resource: Resource, { pending = new PendingTables(), readAtMost = pageReads }: Means = {}) {
    this.readAtMost = readAtMost;
    this.#conditions = new Conditions(resource, pending);
    this.#sources = new Sources(resource, this.#conditions);
    this.#search = new Search(resource);
    this.#reader = new ListReader(db, resource.plural);
  }

  /** @throws {TypeError} if the resource does not have such a sort order, filter or search. */
  read(listing: Listing): Page {
    const { limit, search, after } = listing;
    const { sort = search === undefined ? ["id"] : ["-id"] } = listing;
    const given = this.#conditions.given(listing);
    const wanted = { limit, sort, after, given, bindings: this.#conditions.bindings(given) };
    const page = search === undefined ? this.#list(wanted) : this.#find(search, wanted);
    if (!listing.count) return page;
    return {
      ...page,
      count: countOf({ given, ...this.#means, bindings: { ...wanted.bindings, ...this.#search.bindings(search) } }, search),
    };
  }

  get #means() {
    return { conditions: this.#conditions, sources: this.#sources, search: this.#search, reader: this.#reader };
  }

  #list(wanted: Wanted): Page {
    const { sort, given, bindings } = wanted;
    const way = this.#sources.wayThrough(sort, given);
    if (way.covered.size === given.length) return this.#along(way, wanted);
    const few = given.find(
      (one) => this.#conditions.hasIndex(one) && !this.#reader.hasMore(this.#sources.idsOf(one), this.readAtMost, bindings),
    );
    return few ? this.#sorted(this.#sources.idsOf(few), way, wanted) : this.#along(way, wanted);
  }

  #find(words: string, wanted: Wanted): Page {
    const { limit, sort } = wanted;
    const bindings = { ...wanted.bindings, ...this.#search.bindings(words) };
    if (!this.#search.isRanked(sort))
      return this.#along({ source: this.#search.source(sort), covered: new Set(), variants: [bindings] }, wanted);
    return { rows: this.#reader.records(this.#search.best, this.#conditions.all, { ...bindings, count: limit }), next: null };
  }

  /** Reads a page along a way. If not all of its records match, keeps those that do, until the maximum number of records read. */
  #along(way: SqlWay, wanted: Wanted): Page {
    const [variant, ...others] = way.variants;
    return variant && others.length === 0 ? this.#alongOne(way, variant, wanted) : this.#alongSeveral(way, wanted);
  }

  #alongOne({ source, covered }: SqlWay, variant: Bindings, { limit, sort, after, given, bindings: own }: Wanted): Page {
    const bindings = { ...own, ...variant, ...bindingsOf(after), count: limit + 1 };
    if (covered.size === given.length) return this.#pageOf(this.#reader.whole(source, after, bindings), limit, sort, null);
    const ids = idsAfter(source, after);
    const rows = this.#reader.records(`${ids} LIMIT ${this.readAtMost}`, this.#conditions.all, bindings);
    // Find out whether more records follow the ones that this page read.
    const [last, more] = rows.length > limit ? [] : this.#reader.ids(`${ids} LIMIT 2 OFFSET ${this.readAtMost - 1}`, bindings);
    return this.#pageOf(rows, limit, sort, last !== undefined && more !== undefined ? this.#placeOf(last, sort) : null);
  }

  /** Merges the ids of several ways, which the list has in the order of the ids. */
  #alongSeveral({ source, variants, covered }: SqlWay, { limit, sort, after, given, bindings: own }: Wanted): Page {
    const isWhole = covered.size === given.length;
    const most = isWhole ? limit + 1 : Math.max(1, Math.floor(this.readAtMost / variants.length));
    const sql = `${idsAfter(source, after)} LIMIT ${most + 1}`;
    const found = variants.map((variant) => this.#reader.ids(sql, { ...own, ...variant, ...bindingsOf(after) }));
    const compare = (a: number, b: number) => (source.descending ? b - a : a - b);
    // Nothing is known of the ids after the last one of a way that goes on.
    const [end] = found.flatMap((ids) => (ids.length > most ? [ids[most - 1] as number] : [])).sort(compare);
    // Values that are written differently may be the same.
    const ids = [...new Set(found.flat())].filter((id) => end === undefined || compare(id, end) <= 0).sort(compare);
    const bindings = { ...own, ids: JSON.stringify(ids), count: limit + 1 };
    const rows = this.#reader.records(
      "SELECT value AS id FROM json_each($ids) LIMIT -1",
      isWhole ? "TRUE" : this.#conditions.all,
      bindings,
    );
    return this.#pageOf(rows, limit, sort, end === undefined ? null : { keys: [], id: end });
  }

  /** Reads a page when an index finds few enough records to sort them. */
  #sorted(ids: string, { source }: SqlWay, { limit, sort, after, bindings }: Wanted): Page {
    const where = `${this.#conditions.all} AND ${isAfter(source, after)} ORDER BY ${orderOf(source)}`;
    return this.#pageOf(this.#reader.records(ids, where, { ...bindings, ...bindingsOf(after), count: limit + 1 }), limit, sort, null);
  }

  /** @param rows up to `limit` + 1 records. The extra one shows that another page follows. */
  #pageOf(rows: Stored[], limit: number, sort: readonly string[], next: Place | null): Page {
    if (rows.length <= limit) return { rows, next };
    const shown = rows.slice(0, limit);
    return { rows: shown, next: this.#placeOf((shown.at(-1) as Stored).id, sort) };
  }

  #placeOf(id: number, sort: readonly string[]): Place {
    return { keys: this.#reader.values(this.#sources.keysOf(sort), id), id };
  }
}
