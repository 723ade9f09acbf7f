import type { Database, Statement } from "bun:sqlite";
import type { Reference } from "../../../schema/references";
import { missingTarget, referenceRemedy, referenceTitle } from "../../broken-declarations";
import type { CurrentRecords } from "../../changes/current-records";
import { ReferenceEntries } from "../../changes/side-entries";
import type { Uncommitted } from "../commit/uncommitted";
import type { PendingEntries, PendingTables, SideEntry } from "./pending-entries";
import { referenceTableName, type SideTable } from "./side-tables";

/** Number of ids to read at a time. Most readers need only the first. */
const pageSize = 100;

/** The records that refer to a record, by one reference, in a table. */
export class ReferenceTable extends ReferenceEntries implements SideTable {
  readonly name: string;
  readonly title: string;
  readonly definition: string;
  readonly columns = "key INTEGER, id INTEGER, PRIMARY KEY (key, id)";
  readonly pending: PendingEntries;
  readonly remedy = referenceRemedy;
  #ids: Statement<{ id: number }, [number, number, number]> | undefined;

  /** @param records the records that refer, and those that they refer to. */
  constructor(
    readonly db: Database,
    uncommitted: Uncommitted,
    reference: Reference,
    records: { readonly own: CurrentRecords; readonly to: CurrentRecords },
    pending: PendingTables,
  ) {
    super(uncommitted, reference, records);
    const { path } = reference;
    const { resource } = this;
    this.name = referenceTableName(resource.plural, path);
    this.pending = pending.of(this.name);
    this.title = referenceTitle(resource.name, path);
    this.definition = this.to.stored.name;
  }

  entriesOf(record: object, id: number): SideEntry[] {
    return [...this.targetsIn(record)].map((key) => ({ key, id }));
  }

  refusal({ key, id }: SideEntry): string | undefined {
    return this.to.has(key as number) ? undefined : missingTarget(this.resource, id, this.reference, key as number);
  }

  protected *stored(target: number): Generator<number> {
    const changed = this.pending.of(target);
    yield* changed.keys();
    this.#ids ??= this.db.prepare(`SELECT id FROM "${this.name}" WHERE key = ? AND id > ? ORDER BY id LIMIT ?`);
    for (let last = 0; ; ) {
      const found = this.#ids.all(target, last, pageSize);
      for (const { id } of found) if (!changed.has(id)) yield id;
      if (found.length < pageSize) return;
      last = found.at(-1)?.id ?? 0;
    }
  }
}
