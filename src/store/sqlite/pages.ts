import type { Database, Statement } from "bun:sqlite";
import type { Filters } from "../../schema/filter";
import type { Resource } from "../../schema/resource";
import type { Listing, Page, Place, SortKey } from "../listing";
import type { Stored } from "../stored";
import { indexName, storedField } from "./indexes";
import { type Bounds, boundsOf } from "./list-bounds";
import { ListOrder, records } from "./list-order";

/** Maximum number of records that a page reads to find those that match its filters. */
export const readAtMost = 1000;

type Bindings = Record<string, string | number | Uint8Array | null>;

/**
 * Reads the pages of one resource's lists. The cost of a page depends on its size, not on its place in the list or on the
 * number of records. There are three ways to read one:
 *
 * 1. Without filters: in the order of the list, from the place where the page starts.
 * 2. If the index of a filter finds few records: those, sorted.
 * 3. Otherwise: in the order of the list, keeping what matches, up to a maximum number of records read. Such a page may have fewer
 *    rows than it could.
 */
export class Pages {
  readonly #table: string;
  readonly #filters: Filters;
  /** Fields that have an index, in the order in which they are tried. */
  readonly #indexes: readonly string[];
  readonly #statements = new Map<string, Statement<Stored, [Bindings]>>();

  constructor(
    readonly db: Database,
    resource: Resource,
  ) {
    this.#table = resource.plural;
    this.#filters = { ...resource.filters, updatedAt: "prefix" };
    this.#indexes = [...resource.indexes, "updatedAt"];
  }

  read(listing: Listing): Page {
    const { limit, sort = "id", descending = false } = listing;
    const bounds = boundsOf(listing);
    const order = new ListOrder(this.#table, sort, descending, bounds.get("updatedAt"));
    // Sorted by updatedAt, the records changed since then are one contiguous range.
    if (sort === "updatedAt") bounds.delete("updatedAt");
    const bindings = { ...this.#bindings(bounds), ...order.bindings(listing.after), count: limit + 1 };
    if (bounds.size === 0) return pageOf(this.#all(order.wholePage("$count"), bindings), limit, sort, null);

    const driver = this.#indexes.find((field) => bounds.has(field) && this.#findsFew(field, bounds));
    if (driver) return pageOf(this.#all(this.#few(order, driver), bindings), limit, sort, null);
    return this.#inOrder(order, bindings, limit);
  }

  /** Reads a page in the order of the list, until it is full or reaches the maximum number of records to read. */
  #inOrder(order: ListOrder, bindings: Bindings, limit: number): Page {
    const rows = this.#all(`${order.page(String(readAtMost))} WHERE ${this.#conditions()} LIMIT $count`, bindings);
    // Find out whether more records follow the ones that this page read.
    const [last, more] = rows.length > limit ? [] : this.#all(order.page(`2 OFFSET ${readAtMost - 1}`), bindings);
    return pageOf(rows, limit, order.sort, last && more ? placeOf(last, order.sort) : null);
  }

  /** SQL for a page when the index of `driver` finds few enough records to sort them. */
  #few(order: ListOrder, driver: string): string {
    const matching = `SELECT id, ${order.key} AS k FROM "${this.#table}" INDEXED BY ${indexName(this.#table, driver)}
      WHERE ${this.#between(driver)} AND ${this.#conditions()} AND ${order.rest} ORDER BY ${order.by} LIMIT $count`;
    return records(this.#table, matching);
  }

  #findsFew(field: string, bounds: ReadonlyMap<string, Bounds>): boolean {
    const [from, to] = bounds.get(field) as Bounds;
    const found = this.#all(
      `SELECT id FROM "${this.#table}" INDEXED BY ${indexName(this.#table, field)} WHERE ${this.#between(field)} LIMIT 1 OFFSET ${readAtMost}`,
      { [`${field}From`]: from, [`${field}To`]: to },
    );
    return found.length === 0;
  }

  /** SQL condition for all filters. It is the same text whichever filters are given, so that one statement serves them all. */
  #conditions(): string {
    return Object.keys(this.#filters)
      .map((field) => `($${field}From IS NULL OR ${this.#between(field)})`)
      .join(" AND ");
  }

  #between(field: string): string {
    const value = storedField(field);
    return `${value} >= $${field}From AND ${value} ${this.#filters[field] === "range" ? "<=" : "<"} $${field}To`;
  }

  #bindings(bounds: ReadonlyMap<string, Bounds>): Bindings {
    const bindings: Bindings = {};
    for (const field of Object.keys(this.#filters)) [bindings[`${field}From`], bindings[`${field}To`]] = bounds.get(field) ?? [null, null];
    return bindings;
  }

  #all(sql: string, bindings: Bindings): Stored[] {
    const known = this.#statements.get(sql);
    if (known) return known.all(bindings);
    const statement = this.db.prepare<Stored, [Bindings]>(sql);
    this.#statements.set(sql, statement);
    return statement.all(bindings);
  }
}

/** @param rows up to `limit` + 1 records. The extra one shows that another page follows. */
function pageOf(rows: Stored[], limit: number, sort: SortKey, next: Place | null): Page {
  if (rows.length <= limit) return { rows, next };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: placeOf(shown.at(-1) as Stored, sort) };
}

function placeOf({ id, json }: Stored, sort: SortKey): Place {
  return { key: sort === "id" ? id : (JSON.parse(json) as Record<"createdAt" | "updatedAt", string>)[sort], id };
}
