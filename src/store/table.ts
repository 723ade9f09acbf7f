import type { Database, Statement } from "bun:sqlite";
import type { Resource } from "../domain/resource";
import { keepIndexes } from "./indexes";
import { Pages } from "./pages";
import type { Listing, Page, Stored } from "./store";

/** The statements of one resource's table. */
export class Table {
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #remove: Statement;
  readonly #get: Statement<Stored, [number]>;
  readonly #lastId: Statement<{ seq: number }, [string]>;
  readonly #pages: Pages;
  /** Undefined: to be looked up. */
  #greatestId: number | undefined;
  readonly name: string;

  constructor(db: Database, resource: Resource) {
    const name = resource.plural;
    this.name = name;
    db.run(
      `CREATE TABLE IF NOT EXISTS "${name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, json TEXT NOT NULL) STRICT`,
    );
    keepIndexes(db, resource);
    this.#insert = db.prepare(`INSERT INTO "${name}" (id, version, json) VALUES (?, ?, ?)`);
    this.#replace = db.prepare(`UPDATE "${name}" SET version = ?, json = ? WHERE id = ?`);
    this.#remove = db.prepare(`DELETE FROM "${name}" WHERE id = ?`);
    this.#get = db.prepare(`SELECT id, version, json FROM "${name}" WHERE id = ?`);
    this.#lastId = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
    this.#pages = new Pages(db, resource);
  }

  /** An id that was never used. The record's JSON holds its id, so the id is needed before the row. */
  nextId(): number {
    this.#greatestId ??= this.#lastId.get(this.name)?.seq ?? 0;
    return this.#greatestId + 1;
  }

  /** What was inserted since the last commit is not there. */
  rolledBack(): void {
    this.#greatestId = undefined;
  }

  get(id: number): Stored | undefined {
    return this.#get.get(id) ?? undefined;
  }

  list(listing: Listing): Page {
    return this.#pages.read(listing);
  }

  insert({ id, version, json }: Stored): void {
    this.#insert.run(id, version, json);
    this.#greatestId = id;
  }

  replace({ id, version, json }: Stored): void {
    this.#replace.run(version, json, id);
  }

  remove(id: number): void {
    this.#remove.run(id);
  }
}
