import type { Database, Statement } from "bun:sqlite";
import { hasMoved } from "../connection/moved";
import { eventInsert } from "./event-insert";
import type { Writes } from "./uncommitted";

const replacedMessage = "The database was removed or replaced while the API was running; restart the API.";

/** Writes batches to a database. Each call of `commit` is one transaction. */
export class BatchWriter {
  readonly #begin: Statement;
  readonly #end: Statement;
  readonly #statements: Statement[] = [];
  /** Position of the last event of the last commit. Undefined if it added none. */
  lastEvent: number | undefined;

  /** @param sql the statements; a write names its statement by index. It may grow, as statements are prepared on first use. */
  constructor(
    readonly db: Database,
    readonly sql: readonly string[],
  ) {
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
  }

  /** Commits the batches in one transaction. Returns its duration in seconds. */
  commit(batches: readonly Writes[]): number {
    const startedAt = performance.now();
    const adding = this.sql.indexOf(eventInsert);
    let lastEvent: number | undefined;
    try {
      this.#begin.run();
      if (hasMoved(this.db)) throw Object.assign(new Error(replacedMessage), { code: "SQLITE_READONLY_DBMOVED" });
      for (const writes of batches)
        for (const { statement, values } of writes) {
          const { lastInsertRowid } = this.#statement(statement).run(...values);
          if (statement === adding) lastEvent = Number(lastInsertRowid);
        }
      this.#end.run();
      this.lastEvent = lastEvent;
    } catch (error) {
      if (this.db.inTransaction) this.db.run("ROLLBACK");
      throw error;
    }
    return (performance.now() - startedAt) / 1000;
  }

  #statement(number: number): Statement {
    const statement = this.#statements[number] ?? this.db.prepare(this.sql[number] as string);
    this.#statements[number] = statement;
    return statement;
  }
}
