import type { Database, Statement } from "bun:sqlite";
import type { Filters } from "../../schema/filter";
import type { Resource } from "../../schema/resource";
import type { Listing, Page, Place, Prefix, Range, SortKey } from "../listing";
import type { Stored } from "../stored";
import { indexName, storedField } from "./indexes";

/** How many records a page reads at most to find those that its filters let through: about a millisecond. */
export const readAtMost = 1000;

type Bindings = Record<string, string | number | Uint8Array | null>;
type Bounds = readonly [from: string | number, to: string | number | Uint8Array];

/** In SQLite every blob is greater than every text. */
const afterAllText = new Uint8Array();

/**
 * Reads the pages of one resource's lists. What a page costs depends on its size, and neither on the place where it is
 * nor on how many records there are.
 */
export class Pages {
  readonly #table: string;
  readonly #filters: Filters;
  /** The fields with an index of their own; each is tried in this order. */
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
    // In the order of updatedAt, what was changed since then is one piece of the list.
    if (sort === "updatedAt") bounds.delete("updatedAt");
    const bindings = { ...this.#bindings(bounds), ...order.bindings(listing.after), count: limit + 1 };
    if (bounds.size === 0) return pageOf(this.#all(order.wholePage("$count"), bindings), limit, sort, null);

    const driver = this.#indexes.find((field) => bounds.has(field) && this.#findsFew(field, bounds));
    if (driver) return pageOf(this.#all(this.#few(order, driver), bindings), limit, sort, null);
    const rows = this.#all(`${order.page(String(readAtMost))} WHERE ${this.#conditions()} LIMIT $count`, bindings);
    // Was that all, or only as far as a page reads?
    const [last, more] = rows.length > limit ? [] : this.#all(order.page(`2 OFFSET ${readAtMost - 1}`), bindings);
    return pageOf(rows, limit, sort, last && more ? placeOf(last, sort) : null);
  }

  /** The page where an index finds so few records that they can be put in order. */
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

  /** What the filters let through, said so that it is one statement whichever of them are given. */
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

/** One order of a list, as SQL. */
class Order {
  readonly key: string;
  /** What comes after the place that the page begins behind. */
  readonly rest: string;
  readonly by: string;
  readonly #ids: string;
  /** The records themselves, where they stand in this order; undefined: they do not. */
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
    // In two parts, since SQLite does not look up (key, id) > ($key, $id) in an index: it would read all of the same key.
    this.#ids = `SELECT id FROM (${indexed} ${this.key} = $key AND id ${beyond} $id ORDER BY id ${direction})
      UNION ALL SELECT id FROM (${indexed} ${this.key} ${beyond} $key AND ${this.key} >= $end ORDER BY ${this.key} ${direction}, id ${direction})`;
  }

  bindings(after: Place | undefined): Bindings {
    // What was changed since then begins no earlier.
    const early = !this.descending && this.sort !== "id" && after !== undefined && after.key < this.#start.key;
    const { key, id } = after === undefined || early ? this.#start : after;
    return this.sort === "id" ? { id } : { key, id, end: this.#end };
  }

  /** The records of a part of the list, in its order; a condition may follow. */
  page(part: string): string {
    return records(this.table, `${this.#ids} LIMIT ${part}`);
  }

  /** The same, where no condition follows: a quarter faster than to look them up one by one. */
  wholePage(part: string): string {
    return this.#inPlace === undefined ? this.page(part) : `${this.#inPlace} LIMIT ${part}`;
  }
}

/** Looked up one by one in the order of the ids: CROSS JOIN is what SQLite never turns around. */
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

/** The texts with a prefix are those from it up to the next text that has not got it. SQLite compares code points. */
function textsOf({ prefix }: Prefix): Bounds {
  const points = Array.from(prefix, (point) => point.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return [prefix, afterAllText];
  // Surrogates are no characters.
  return [prefix, String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)];
}

/** @param rows one more than `limit`, where there are so many. */
function pageOf(rows: Stored[], limit: number, sort: SortKey, next: Place | null): Page {
  if (rows.length <= limit) return { rows, next };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: placeOf(shown.at(-1) as Stored, sort) };
}

function placeOf({ id, json }: Stored, sort: SortKey): Place {
  return { key: sort === "id" ? id : (JSON.parse(json) as Record<"createdAt" | "updatedAt", string>)[sort], id };
}
