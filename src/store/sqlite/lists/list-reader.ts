import type { Database, Statement } from "bun:sqlite";
import type { Place } from "../../listing";
import type { Stored } from "../../stored";
import type { Bindings } from "./list-conditions";
import { idsAfter, type Source } from "./list-walk";

/** Runs the queries of one table's lists. Prepares each once. */
export class ListReader {
  readonly #table: string;
  readonly #statements = new Map<string, Statement<unknown, [Bindings]>>();

  constructor(
    readonly db: Database,
    plural: string,
  ) {
    this.#table = `"${plural}"`;
  }

  /**
   * Reads the records of some ids, in their order, that match a condition.
   *
   * @param ids SQL with a LIMIT, without which SQLite may drop its ORDER BY.
   * @param where SQL condition, which an ORDER BY may follow.
   * @param bindings with the maximum number of records as `count`.
   */
  records(ids: string, where: string, bindings: Bindings): Stored[] {
    return this.#all(
      `SELECT id, version, json FROM (${ids}) AS found CROSS JOIN ${this.#table} USING (id) WHERE ${where} LIMIT $count`,
      bindings,
    );
  }

  /** Reads the first `count` records of a source after a place. */
  whole(source: Source, after: Place | undefined, bindings: Bindings): Stored[] {
    // In the order of the table, the ids need not be looked up one by one.
    if (source.from === this.#table) return this.#all(`${idsAfter(source, after, "id, version, json")} LIMIT $count`, bindings);
    return this.records(`${idsAfter(source, after)} LIMIT $count`, "TRUE", bindings);
  }

  ids(sql: string, bindings: Bindings): number[] {
    return this.#all<{ id: number }>(sql, bindings).map(({ id }) => id);
  }

  /** Returns whether there are more ids than this. */
  hasMore(ids: string, than: number, bindings: Bindings): boolean {
    return this.#all(`SELECT id FROM (${ids}) LIMIT 1 OFFSET ${than}`, bindings).length > 0;
  }

  /** Counts the records of some ids that match a condition. Without one, it reads only the ids. */
  count(ids: string, where: string | undefined, bindings: Bindings): number {
    const from = where === undefined ? `(${ids})` : `(${ids}) AS found CROSS JOIN ${this.#table} USING (id) WHERE ${where}`;
    return this.#all<{ n: number }>(`SELECT count(*) AS n FROM ${from}`, bindings)[0]?.n ?? 0;
  }

  /** Returns the values of SQL expressions for a record. */
  values(expressions: readonly string[], id: number): (string | number | null)[] {
    if (expressions.length === 0) return [];
    const [row = {}] = this.#all<Record<string, string | number | null>>(
      `SELECT ${expressions.map((sql, index) => `${sql} AS v${index}`).join(", ")} FROM ${this.#table} WHERE id = $id`,
      { id },
    );
    return expressions.map((_, index) => row[`v${index}`] ?? null);
  }

  #all<Row>(sql: string, bindings: Bindings): Row[] {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.db.prepare<unknown, [Bindings]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(bindings) as Row[];
  }
}
