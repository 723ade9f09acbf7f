import type { Place, SortKey } from "../listing";
import { indexName, storedField } from "./indexes";
import type { Bounds } from "./list-bounds";

/** The order of a list, as SQL that starts at a place in it. */
export class ListOrder {
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

  bindings(after: Place | undefined): Record<string, string | number> {
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
export function records(table: string, ids: string): string {
  return `SELECT id, version, json FROM (${ids}) AS found CROSS JOIN "${table}" USING (id)`;
}
