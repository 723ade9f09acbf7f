import type { Reference } from "../../../schema/references";
import type { Resource } from "../../../schema/resource";
import type { UniqueKey } from "../../../schema/unique";
import type { CurrentRecords } from "../../changes/current-records";
import { ReferenceEntries, UniqueEntries } from "../../changes/side-entries";
import { maxAffected } from "../../removal";
import { targetKey } from "../slots/slot-entries";
import type { Layout } from "./layout";
import type { Workspace } from "./workspace";

/** The values of a unique key. */
export class UniqueValues extends UniqueEntries {
  readonly name: string;

  constructor(
    readonly workspace: Workspace,
    resource: Resource,
    key: UniqueKey,
    readonly slot: number,
  ) {
    super(workspace.overlay, resource, key);
    this.name = `${resource.plural}:unique:${slot}`;
  }

  get(value: string): number | undefined {
    const { holders, isExact } = this.workspace.facts;
    const name = this.#nameOf(value);
    if (!isExact) holders.suppose(name, 0);
    return holders.read(name, { slot: this.slot, value }) || undefined;
  }

  /** Takes the holder that was found earlier for the current one, unless more is known. The commit compares them. */
  expect(value: string, found: number | undefined): void {
    this.workspace.facts.holders.suppose(this.#nameOf(value), found ?? 0);
  }

  #nameOf(value: string): string {
    return `${this.slot}/${value}`;
  }
}

/** Number of ids to read of records that keep another one from being deleted. */
const fewReferrers = 2;

/** The records that refer to others by one reference. */
export class References extends ReferenceEntries {
  readonly name: string;
  readonly #limit: number;

  constructor(
    readonly workspace: Workspace,
    readonly layout: Layout,
    reference: Reference,
    records: { readonly own: CurrentRecords; readonly to: CurrentRecords },
    /** Returns the number of its slot. */
    readonly slot: () => number,
  ) {
    super(workspace.overlay, reference, records);
    this.name = `${layout.resource.plural}:references:${reference.path}`;
    this.#limit = reference.onDelete === "restrict" ? fewReferrers : maxAffected + 2;
  }

  protected *stored(target: number): Generator<number> {
    const { referrers } = this.workspace.facts;
    const slot = this.slot();
    const name = `${slot}/${target}`;
    const key = { layout: this.layout, slot, key: targetKey(target) };
    const { ids, limit } = referrers.read(name, { ...key, limit: this.#limit });
    yield* ids;
    // Uncommitted changes may have removed these, but there are others.
    if (ids.length === limit) referrers.want(name, { ...key, limit: limit * 10 });
  }
}
