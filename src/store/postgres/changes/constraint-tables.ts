import { checkTargets } from "../../../schema/references";
import type { Resource } from "../../../schema/resource";
import { Constraints, type SideEntries } from "../../changes/constraints";
import type { CurrentRecords } from "../../changes/current-records";
import { referenceSlot } from "../slots/slot-definition";
import type { Slots } from "../slots/slots";
import type { RecordTable } from "./record-table";
import { References, UniqueValues } from "./side-tables";
import type { Workspace } from "./workspace";

/** The constraints of resources. Their entries are written with the records that they follow from. */
export class ConstraintTables {
  readonly constraints: Constraints;
  /** By slot. */
  readonly #values = new Map<number, UniqueValues>();
  /** By the name of the resource, for a version of the slots. */
  #unique = new Map<string, readonly UniqueValues[]>();
  #version = 0;

  /** @throws {Error} if a reference leads to a resource that is not there. */
  constructor(
    readonly workspace: Workspace,
    readonly slots: Slots,
    tables: ReadonlyMap<string, RecordTable>,
    records: ReadonlyMap<string, CurrentRecords>,
  ) {
    const resources = [...tables.values()].map(({ resource }) => resource);
    checkTargets(resources);
    const recordsOf = (name: string) => records.get(name) as CurrentRecords;
    const uniqueOf = (resource: Resource) => this.#uniqueOf(resource);
    const own = [...tables].map(([name, { layout, resource }]): [string, SideEntries] => {
      const references = resource.references.map((reference) => {
        const slot = () => slots.numberOf(resource, referenceSlot(reference));
        return new References(workspace, layout, reference, { own: recordsOf(name), to: recordsOf(reference.to) }, slot);
      });
      return [
        name,
        {
          references,
          derived: [],
          get unique() {
            return uniqueOf(resource);
          },
        },
      ];
    });
    this.constraints = new Constraints(new Map(own), () => {});
  }

  /** Tells what a transaction has read of a unique key. */
  expect(resource: Resource, name: string, values: object, found: number | undefined): void {
    const entries = this.#uniqueOf(resource).find(({ key }) => key.name === name);
    const value = entries?.valueOf(values) ?? null;
    if (value !== null) entries?.expect(value, found);
  }

  /** Returns the unique keys of a resource. Other programs that run may have declared some of them. */
  #uniqueOf(resource: Resource): readonly UniqueValues[] {
    const { slots, workspace } = this;
    if (this.#version !== slots.version) this.#unique.clear();
    this.#version = slots.version;
    let known = this.#unique.get(resource.name);
    if (!known) {
      known = slots.uniqueKeys(resource).map(({ slot, key }) => {
        const values = this.#values.get(slot) ?? new UniqueValues(workspace, resource, key, slot);
        this.#values.set(slot, values);
        return values;
      });
      this.#unique.set(resource.name, known);
    }
    return known;
  }
}
