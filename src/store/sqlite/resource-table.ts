import type { Database, Statement } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import type { Listing, Page } from "../listing";
import type { Stored } from "../stored";
import { keepIndexes } from "./indexes";
import { Pages } from "./pages";
import type { PendingTables } from "./pending-entries";
import type { Uncommitted, Write } from "./uncommitted";

/** Reads and writes one resource's table. */
export class Table {
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

  /** Returns an unused id. The record's JSON contains the id, so it is needed before the row is inserted. */
  nextId(): number {
    return Math.max(this.#newestId, this.#reserved) + 1;
  }

  /** Returns an unused id that no other record gets while this process runs. */
  reserveId(): number {
    this.#reserved = this.nextId();
    return this.#reserved;
  }

  get #newestId(): number {
    return this.uncommitted.find<number>(this.name) ?? this.#lastId.get(this.name)?.seq ?? 0;
  }

  /** Returns a record including uncommitted changes, or undefined if it does not exist. */
  current(id: number): Stored | undefined {
    const changed = this.uncommitted.find<Stored | null>(this.#key(id));
    return changed === undefined ? this.get(id) : (changed ?? undefined);
  }

  /** Returns whether a record exists, including uncommitted changes. */
  has(id: number): boolean {
    const changed = this.uncommitted.find<Stored | null>(this.#key(id));
    return changed === undefined ? this.#has.get(id) !== null : changed !== null;
  }

  /** Returns a record as last committed, or undefined if it does not exist. */
  get(id: number): Stored | undefined {
    return this.#get.get(id) ?? undefined;
  }

  /** Returns those of some records that exist, as last committed. */
  getAll(ids: readonly number[]): Stored[] {
    return ids.length === 0 ? [] : this.#getAll.all(JSON.stringify(ids));
  }

  list(listing: Listing): Page {
    return this.#pages.read(listing);
  }

  /**
   * Returns the records of a list including uncommitted changes, sorted by id. Returns undefined if there are more than its limit,
   * or it reads too many to find them.
   *
   * @param matches returns whether a record is in the list.
   */
  currentList(listing: Listing, matches: (record: object) => boolean): Stored[] | undefined {
    const { rows, next } = this.list(listing);
    if (next) return undefined;
    const changed = new Set(this.uncommitted.keysAfter(`${this.name}/`).map(Number).filter(Number.isInteger));
    const added = [...changed].flatMap((id) => this.current(id) ?? []).filter(({ json }) => matches(JSON.parse(json) as object));
    const all = [...rows.filter(({ id }) => !changed.has(id)), ...added].sort((a, b) => a.id - b.id);
    return all.length > listing.limit ? undefined : all;
  }

  insert(stored: Stored): void {
    const { id, version, json } = stored;
    this.#insert(id, version, json);
    this.uncommitted.keep(this.#key(id), stored);
    this.uncommitted.keep(this.name, Math.max(id, this.#newestId));
  }

  replace(stored: Stored): void {
    const { id, version, json } = stored;
    this.#replace(version, json, id);
    this.uncommitted.keep(this.#key(id), stored);
  }

  remove(last: Stored): void {
    this.#remove(last.id);
    this.uncommitted.keep(this.#key(last.id), null);
    this.uncommitted.keep(`${this.#key(last.id)} removed`, last);
  }

  /** Returns the last state of a record if an uncommitted change removed it. */
  removed(id: number): Stored | undefined {
    return this.uncommitted.find<Stored>(`${this.#key(id)} removed`);
  }

  #key(id: number): string {
    return `${this.name}/${id}`;
  }
}
