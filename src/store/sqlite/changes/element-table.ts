import { stepsOf, valueAt } from "../../../schema/path-values";
import type { Scalar } from "../../../schema/paths";
import type { Resource } from "../../../schema/resource";
import type { DerivedEntries } from "../../changes/side-entries";
import { compared } from "../../compared-values";
import type { Uncommitted, Write } from "../commit/uncommitted";
import { PendingEntries, type SideEntry } from "./pending-entries";
import { elementTableName, type SideTable } from "./side-tables";

/** The elements of an array, each with the ids of the records that contain it. An index of SQLite has one entry per record. */
export class ElementTable implements SideTable, DerivedEntries {
  readonly name: string;
  readonly title: string;
  readonly columns = "key ANY, id INTEGER, PRIMARY KEY (key, id)";
  readonly definition = "1";
  readonly remedy = "";
  /** Always empty: the ids of an element grow, so that writing them at once changes few pages. */
  readonly pending = new PendingEntries();
  readonly #steps: ReturnType<typeof stepsOf>;
  readonly #add: Write;
  readonly #remove: Write;

  constructor(
    uncommitted: Uncommitted,
    readonly resource: Resource,
    path: string,
  ) {
    this.name = elementTableName(resource.plural, path);
    this.title = `The index "${path}" of "${resource.name}"`;
    this.#steps = stepsOf(path);
    this.#add = uncommitted.prepare(`INSERT OR IGNORE INTO "${this.name}" (key, id) VALUES (?, ?)`);
    this.#remove = uncommitted.prepare(`DELETE FROM "${this.name}" WHERE key = ? AND id = ?`);
  }

  entriesOf(record: object, id: number): SideEntry[] {
    return [...this.#elementsIn(record)].map((key) => ({ key, id }));
  }

  /** It constrains nothing. */
  refusal(): undefined {}

  apply(id: number, before: object | undefined, after: object | undefined): void {
    const [old, now] = [this.#elementsIn(before), this.#elementsIn(after)];
    for (const value of old) if (!now.has(value)) this.#remove(value, id);
    for (const value of now) if (!old.has(value)) this.#add(value, id);
  }

  #elementsIn(record: object | undefined): Set<string | number> {
    const elements = record && valueAt(record, this.#steps);
    const values = Array.isArray(elements) ? (elements as readonly (Scalar | null)[]).map(compared) : [];
    return new Set(values.filter((value) => value !== null));
  }
}
