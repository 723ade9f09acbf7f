import type { Resource } from "../../../schema/resource";
import type { StoredRecords } from "../../changes/current-records";
import { StoreUnavailable, TransactionGaveUp } from "../../errors";
import type { Stored } from "../../stored";
import { olderShapeOf } from "../records/stored-row";
import type { Facts } from "./facts";
import { IdBlocks } from "./id-blocks";
import type { Layout } from "./layout";
import type { Workspace } from "./workspace";

/** The records of one resource, as a group of changes reads and writes them. */
export class RecordTable implements StoredRecords {
  readonly resource: Resource;
  readonly name: string;
  readonly ids = new IdBlocks();
  /** States that no commit has confirmed. */
  readonly #uncommitted = new WeakSet<Stored>();

  constructor(
    readonly workspace: Workspace,
    readonly layout: Layout,
  ) {
    this.resource = layout.resource;
    this.name = layout.resource.plural;
  }

  get(id: number): Stored | undefined {
    const row = this.workspace.facts.records.read(this.#nameOf(id), { layout: this.layout, id });
    if (row && row.shape > this.layout.shape)
      throw new StoreUnavailable(`A newer version of the program has written the ${this.resource.name} ${id}; this one cannot change it.`);
    return row?.stored;
  }

  has(id: number): boolean {
    const { records, presence, isExact } = this.workspace.facts;
    const name = this.#nameOf(id);
    if (records.peek(name) !== undefined) return records.read(name, { layout: this.layout, id }) !== null;
    if (!isExact) presence.suppose(name, true);
    return presence.read(name, { layout: this.layout, id });
  }

  /** Returns a record as far as it is known. */
  known(facts: Facts, id: number): Stored | undefined {
    return facts.records.peek(this.#nameOf(id))?.stored;
  }

  /** Takes a record that was read earlier for the current one, unless more is known. The commit compares them. */
  expect(id: number, found: Stored | undefined): void {
    // Another change may have got the version of one that failed.
    if (found && this.#uncommitted.has(found)) return;
    const row = found && { version: found.version, shape: olderShapeOf(found) ?? this.layout.shape, stored: found };
    this.workspace.facts.records.suppose(this.#nameOf(id), row ?? null);
  }

  matching(where: object, limit: number): readonly Stored[] | undefined {
    const found = this.workspace.facts.lists.read(`${this.name} ${limit} ${JSON.stringify(where)}`, { layout: this.layout, where, limit });
    return found ?? undefined;
  }

  nextId(): number {
    return this.ids.next(this.#newestId);
  }

  reserveId(): number {
    return this.ids.reserve(this.#newestId);
  }

  insert(stored: Stored): void {
    const { id } = stored;
    const isDrawn = this.ids.isDrawn(id);
    if (!isDrawn && this.workspace.facts.records.peek(this.#nameOf(id)) === undefined)
      throw new TransactionGaveUp(`Records were imported that may have had the id of the new ${this.resource.name}.`);
    this.#write(id, stored, isDrawn ? "drawn" : "chosen");
    this.workspace.overlay.keep(this.name, Math.max(id, this.#newestId));
  }

  replace(stored: Stored): void {
    this.#write(stored.id, stored, "present");
  }

  remove(id: number): void {
    this.#write(id, null, "present");
  }

  /**
   * Converts those of some records to the newest shape that are in an older one. They keep their versions. Returns why some cannot be
   * converted, which stay as they are.
   */
  upcast(ids: readonly number[]): unknown[] {
    const rows = ids.map((id) => [id, this.workspace.facts.records.read(this.#nameOf(id), { layout: this.layout, id })] as const);
    return rows.flatMap(([id, row]) => {
      try {
        if (row && row.shape < this.layout.shape) this.#write(id, row.stored, "present");
      } catch (error) {
        return [error];
      }
      this.workspace.overlay.write({ kind: "upToDate", layout: this.layout, id });
      return [];
    });
  }

  #write(id: number, after: Stored | null, origin: "drawn" | "chosen" | "present"): void {
    this.workspace.overlay.write({ kind: "record", layout: this.layout, id, after, origin });
    if (!after) return;
    this.#uncommitted.add(after);
    this.workspace.overlay.onCommit(() => this.#uncommitted.delete(after));
  }

  /** The greatest id that uncommitted changes use. */
  get #newestId(): number {
    return this.workspace.overlay.peek<number>(this.name) ?? 0;
  }

  #nameOf(id: number): string {
    return `${this.name}/${id}`;
  }
}
