import type { Database, Statement } from "bun:sqlite";
import type { Scalar } from "../../schema/paths";
import type { Resource } from "../../schema/resource";
import type { StoredRecords } from "../changes/current-records";
import type { Listing, Page } from "../listing";
import type { Stored } from "../stored";
import type { PendingTables } from "./changes/pending-entries";
import type { Uncommitted, Write } from "./commit/uncommitted";
import { Pages } from "./lists/pages";
import { keepIndexes } from "./schema/indexes";

/** Reads and writes one resource's table. */
export class Table implements StoredRecords {
  readonly #insert: Write;
  readonly #replace: Write;
  readonly #remove: Write;
  readonly #get: Statement<Stored, [number]>;
  readonly #getAll: Statement<Stored, [string]>;
  readonly #has: Statement<{ id: number }, [number]>;
  readonly #lastId: Statement<{ seq: number }, [string]>;
  readonly #pages: Pages;
  /** The greatest id that is reserved for a record which may never be inserted. */
  #reserved = 0;
  readonly name: string;

  constructor(
    db: Database,
    readonly uncommitted: Uncommitted,
    readonly resource: Resource,
    pending: PendingTables,
  ) {
    const name = resource.plural;
    this.name = name;
    db.run(
      `CREATE TABLE IF NOT EXISTS "${name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, json TEXT NOT NULL) STRICT`,
    );
    keepIndexes(db, resource);
    this.#insert = uncommitted.prepare(`INSERT INTO "${name}" (id, version, json) VALUES (?, ?, ?)`);
    this.#replace = uncommitted.prepare(`UPDATE "${name}" SET version = ?, json = ? WHERE id = ?`);
    this.#remove = uncommitted.prepare(`DELETE FROM "${name}" WHERE id = ?`);
    this.#get = db.prepare(`SELECT id, version, json FROM "${name}" WHERE id = ?`);
    this.#getAll = db.prepare(`SELECT id, version, json FROM "${name}" WHERE id IN (SELECT value FROM json_each(?))`);
    this.#has = db.prepare(`SELECT id FROM "${name}" WHERE id = ?`);
    this.#lastId = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
    this.#pages = new Pages(db, resource, { pending });
  }

  nextId(): number {
    return Math.max(this.#newestId, this.#reserved) + 1;
  }

  reserveId(): number {
    this.#reserved = this.nextId();
    return this.#reserved;
  }

  get #newestId(): number {
    return this.uncommitted.find<number>(this.name) ?? this.#lastId.get(this.name)?.seq ?? 0;
  }

  get(id: number): Stored | undefined {
    return this.#get.get(id) ?? undefined;
  }

  has(id: number): boolean {
    return this.#has.get(id) !== null;
  }

  /** Returns those of some records that exist, as last committed. */
  getAll(ids: readonly number[]): Stored[] {
    return ids.length === 0 ? [] : this.#getAll.all(JSON.stringify(ids));
  }

  list(listing: Listing): Page {
    return this.#pages.read(listing);
  }

  matching(where: object, limit: number): readonly Stored[] | undefined {
    const filters = Object.fromEntries(Object.entries(where).map(([path, value]) => [path, { exact: [value as Scalar | null] }]));
    const { rows, next } = this.list({ limit, filters });
    return next ? undefined : rows;
  }

  insert({ id, version, json }: Stored): void {
    this.#insert(id, version, json);
    this.uncommitted.keep(this.name, Math.max(id, this.#newestId));
  }

  replace({ id, version, json }: Stored): void {
    this.#replace(version, json, id);
  }

  remove(id: number): void {
    this.#remove(id);
  }
}
