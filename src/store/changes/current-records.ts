import type { Resource } from "../../schema/resource";
import type { Stored } from "../stored";
import type { Overlay } from "./overlay";

/** The records of one resource in an engine: reads them as last committed, and writes with the running change. */
export interface StoredRecords {
  readonly resource: Resource;
  /** Begins the keys of the records in the overlay. */
  readonly name: string;
  /** Returns a record, or undefined if it does not exist. */
  get(id: number): Stored | undefined;
  has(id: number): boolean;
  /**
   * Returns the records that have these values, in any order. Returns undefined if there are more than `limit`, or the engine would read too
   * many to find them.
   *
   * @param where values of fields with the filter `exact`, by path.
   */
  matching(where: object, limit: number): readonly Stored[] | undefined;
  /** Returns an unused id for a new record. The record's JSON contains the id, so it is needed before the row is inserted. */
  nextId(): number;
  /** Returns an unused id that no other record gets. Also outside of a change. */
  reserveId(): number;
  insert(stored: Stored): void;
  replace(stored: Stored): void;
  remove(id: number): void;
}

/** The records of one resource, including uncommitted changes. */
export class CurrentRecords {
  constructor(
    readonly overlay: Overlay,
    readonly stored: StoredRecords,
  ) {}

  get resource(): Resource {
    return this.stored.resource;
  }

  /** Returns a record, or undefined if it does not exist. */
  get(id: number): Stored | undefined {
    const changed = this.overlay.find<Stored | null>(this.#key(id));
    return changed === undefined ? this.stored.get(id) : (changed ?? undefined);
  }

  has(id: number): boolean {
    const changed = this.overlay.find<Stored | null>(this.#key(id));
    return changed === undefined ? this.stored.has(id) : changed !== null;
  }

  /**
   * Returns the records that have these values, sorted by id. Returns undefined if there are more than `limit`, or the engine would
   * read too many to find them.
   *
   * @param matches returns whether a record has the values.
   */
  matching(where: object, limit: number, matches: (record: object) => boolean): Stored[] | undefined {
    const found = this.stored.matching(where, limit);
    if (!found) return undefined;
    const changed = new Set(this.overlay.keysAfter(`${this.stored.name}/`).map(Number).filter(Number.isInteger));
    const added = [...changed].flatMap((id) => this.get(id) ?? []).filter(({ json }) => matches(JSON.parse(json) as object));
    const all = [...found.filter(({ id }) => !changed.has(id)), ...added].sort((a, b) => a.id - b.id);
    return all.length > limit ? undefined : all;
  }

  insert(stored: Stored): void {
    this.stored.insert(stored);
    this.overlay.keep(this.#key(stored.id), stored);
  }

  replace(stored: Stored): void {
    this.stored.replace(stored);
    this.overlay.keep(this.#key(stored.id), stored);
  }

  remove(last: Stored): void {
    this.stored.remove(last.id);
    this.overlay.keep(this.#key(last.id), null);
    this.overlay.keep(`${this.#key(last.id)} removed`, last);
  }

  /** Returns the last state of a record if an uncommitted change removed it. */
  removed(id: number): Stored | undefined {
    return this.overlay.find<Stored>(`${this.#key(id)} removed`);
  }

  #key(id: number): string {
    return `${this.stored.name}/${id}`;
  }
}
