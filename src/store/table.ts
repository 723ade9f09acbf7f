import type { Database, Statement } from "bun:sqlite";
import type { Stored } from "./store";

/** The statements of one resource's table. */
export class Table {
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #remove: Statement;
  readonly #get: Statement<Stored, [number]>;
  readonly #list: Statement<Stored, [number, number]>;
  readonly #lastId: Statement<{ seq: number }, [string]>;

  constructor(
    db: Database,
    readonly name: string,
  ) {
    db.run(
      `CREATE TABLE IF NOT EXISTS "${name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, json TEXT NOT NULL) STRICT`,
    );
    this.#insert = db.prepare(`INSERT INTO "${name}" (id, version, json) VALUES (?, ?, ?)`);
    this.#replace = db.prepare(`UPDATE "${name}" SET version = ?, json = ? WHERE id = ?`);
    this.#remove = db.prepare(`DELETE FROM "${name}" WHERE id = ?`);
    this.#get = db.prepare(`SELECT id, version, json FROM "${name}" WHERE id = ?`);
    this.#list = db.prepare(`SELECT id, version, json FROM "${name}" WHERE id > ? ORDER BY id LIMIT ?`);
    this.#lastId = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
  }

  /** The greatest id that was ever used. The record's JSON holds its id, so the id is needed before the row. */
  lastId(): number {
    return this.#lastId.get(this.name)?.seq ?? 0;
  }

  get(id: number): Stored | undefined {
    return this.#get.get(id) ?? undefined;
  }

  list(after: number, limit: number): Stored[] {
    return this.#list.all(after, limit);
  }

  insert({ id, version, json }: Stored): void {
    this.#insert.run(id, version, json);
  }

  replace({ id, version, json }: Stored): void {
    this.#replace.run(version, json, id);
  }

  remove(id: number): void {
    this.#remove.run(id);
  }
}
