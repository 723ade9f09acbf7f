import type { Database, Statement } from "bun:sqlite";
import type { Filters } from "../../schema/filter";
import type { Resource } from "../../schema/resource";
import type { Listing, Page, Place, Prefix, Range, SortKey } from "../listing";
import type { Stored } from "../stored";
import { indexName, storedField } from "./indexes";

/** Maximum number of records that a page reads to find those that match its filters. */
export const readAtMost = 1000;

type Bindings = Record<string, string | number | Uint8Array | null>;
type Bounds = readonly [from: string | number, to: string | number | Uint8Array];

/** Upper bound for all texts: in SQLite, every blob is greater than every text. */
const afterAllText = new Uint8Array();

/**
 * Reads the pages of one resource's lists. The cost of a page depends on its size, not on its place in the list or on the
 * number of records.
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
    const order = new Order(this.#table, sort, descending, bounds.get("updatedAt"));
    // Sorted by updatedAt, the records changed since then are one contiguous range.
    if (sort === "updatedAt") bounds.delete("updatedAt");
    const bindings = { ...this.#bindings(bounds), ...order.bindings(listing.after), count: limit + 1 };
    if (bounds.size === 0) return pageOf(this.#all(order.wholePage("$count"), bindings), limit, sort, null);

    const driver = this.#indexes.find((field) => bounds.has(field) && this.#findsFew(field, bounds));
    if (driver) return pageOf(this.#all(this.#few(order, driver), bindings), limit, sort, null);
    const rows = this.#all(`${order.page(String(readAtMost))} WHERE ${this.#conditions()} LIMIT $count`, bindings);
    // Find out whether more records follow the ones that this page read.
    const [last, more] = rows.length > limit ? [] : this.#all(order.page(`2 OFFSET ${readAtMost - 1}`), bindings);
    return pageOf(rows, limit, sort, last && more ? placeOf(last, sort) : null);
  }

  /** SQL for a page when the index of `driver` finds few enough records to sort them. */
  #few(order: Order, driver: string): string {
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

/** A sort order of a list, as SQL. */
class Order {
  readonly key: string;
  /** SQL condition for the records after the start of the page. */
  readonly rest: string;
  readonly by: string;
  readonly #ids: string;
  /** SQL that reads the records directly in this order. Undefined if the table is in another order. */
  readonly #inPlace: string | undefined;
  readonly #start: Place;
  readonly #end: string;

  constructor(
    readonly table: string,
    readonly sort: SortKey,
    readonly descending: boolean,
    since: Bounds | undefined,
  ) {
    const [beyond, direction] = descending ? ["<", "DESC"] : [">", "ASC"];
    const from = sort === "updatedAt" && since ? String(since[0]) : "";
    this.#start = descending ? { key: "~", id: Number.MAX_SAFE_INTEGER } : { key: from, id: 0 };
    this.#end = from;
    this.by = `k ${direction}, id ${direction}`;
    if (sort === "id") {
      this.key = "id";
      this.rest = `id ${beyond} $id`;
      const after = `FROM "${table}" WHERE id ${beyond} $id ORDER BY id ${direction}`;
      this.#ids = `SELECT id ${after}`;
      this.#inPlace = `SELECT id, version, json ${after}`;
      return;
    }
    this.key = storedField(sort);
    this.rest = `(k ${beyond} $key OR (k = $key AND id ${beyond} $id)) AND k >= $end`;
    const indexed = `SELECT id FROM "${table}" INDEXED BY ${indexName(table, sort)} WHERE`;
    // Two parts, since SQLite does not look up (key, id) > ($key, $id) in an index: it would read all records with the same key.
    this.#ids = `SELECT id FROM (${indexed} ${this.key} = $key AND id ${beyond} $id ORDER BY id ${direction})
      UNION ALL SELECT id FROM (${indexed} ${this.key} ${beyond} $key AND ${this.key} >= $end ORDER BY ${this.key} ${direction}, id ${direction})`;
  }

  bindings(after: Place | undefined): Bindings {
    // With `updatedSince`, the page starts no earlier than that time.
    const early = !this.descending && this.sort !== "id" && after !== undefined && after.key < this.#start.key;
    const { key, id } = after === undefined || early ? this.#start : after;
    return this.sort === "id" ? { id } : { key, id, end: this.#end };
  }

  /** SQL for the records of a part of the list, in its order. A WHERE clause may follow. */
  page(part: string): string {
    return records(this.table, `${this.#ids} LIMIT ${part}`);
  }

  /** SQL as from `page`, but no WHERE clause may follow. It is faster, since it does not look up records one by one. */
  wholePage(part: string): string {
    return this.#inPlace === undefined ? this.page(part) : `${this.#inPlace} LIMIT ${part}`;
  }
}

/** SQL that looks up records in the order of `ids`. With CROSS JOIN, SQLite never reverses the join order. */
function records(table: string, ids: string): string {
  return `SELECT id, version, json FROM (${ids}) AS found CROSS JOIN "${table}" USING (id)`;
}

function boundsOf({ filters = {}, updatedSince }: Listing): Map<string, Bounds> {
  const bounds = new Map(
    Object.entries(filters).map(([field, filter]) => [field, "prefix" in filter ? textsOf(filter) : numbersOf(filter)]),
  );
  if (updatedSince !== undefined) bounds.set("updatedAt", [updatedSince, afterAllText]);
  return bounds;
}

function numbersOf({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Range): Bounds {
  return [min, max];
}

/** Returns the range of texts with a prefix: from the prefix up to the next text without it. SQLite compares code points. */
function textsOf({ prefix }: Prefix): Bounds {
  const points = Array.from(prefix, (point) => point.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return [prefix, afterAllText];
  // Skip the surrogates, which are not characters.
  return [prefix, String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)];
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
