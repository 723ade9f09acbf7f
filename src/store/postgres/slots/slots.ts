import type { Resource } from "../../../schema/resource";
import type { UniqueKey } from "../../../schema/unique";
import { StoreUnavailable } from "../../errors";
import type { Queries } from "../connection/queries";
import type { SlotDefinition } from "./slot-definition";
import { type EntriesOf, entriesOf } from "./slot-entries";

/** The entries that one declaration of a resource has, with a number in the tables that all resources share. */
export interface Slot {
  readonly number: number;
  /** Name of the resource. */
  readonly resource: string;
  readonly definition: SlotDefinition;
  /** True if all records have their entries. */
  readonly isFilled: boolean;
  readonly entriesOf: EntriesOf;
}

/** A row of the table of entries. */
export interface Entry {
  readonly slot: number;
  readonly key: string;
  readonly id: number;
  readonly count: number | null;
}

/** A row of the table of unique values. */
export interface UniqueValue {
  readonly slot: number;
  readonly value: string;
  readonly id: number;
}

/** The changes that a record's change makes in the tables that are derived from it. Write `removed` before `added`: a new count is both. */
export interface EntryChanges {
  readonly removed: Entry[];
  readonly added: Entry[];
  readonly removedValues: UniqueValue[];
  readonly addedValues: UniqueValue[];
}

interface Row {
  readonly slot: number;
  readonly resource: string;
  readonly definition: string;
  readonly filled: boolean;
}

/**
 * The declarations whose entries are kept: those of this program, and of other versions of it that run. A commit writes the entries of
 * all, so that all processes find what others write.
 */
export class Slots {
  #version = 0;
  #byResource: ReadonlyMap<string, readonly Slot[]> = new Map();
  #byDefinition: ReadonlyMap<string, Slot> = new Map();
  #required: ReadonlySet<number> = new Set();
  #onMissing: () => void = () => {};

  static async load(queries: Queries): Promise<Slots> {
    const slots = new Slots();
    await slots.reload(queries);
    return slots;
  }

  /** Changes when a declaration is added or dropped. A commit fails if it was made with another version than the database has. */
  get version(): number {
    return this.#version;
  }

  /**
   * Makes slots a condition of {@link reload}.
   *
   * @param onMissing called if one is missing. Other processes drop what only a process declares that was suspended for a minute.
   */
  require(slots: readonly number[], onMissing: () => void): void {
    this.#required = new Set(slots);
    this.#onMissing = onMissing;
  }

  /**
   * Reads the declarations again.
   *
   * @throws {StoreUnavailable} if a required one is missing.
   */
  async reload({ query }: Queries): Promise<void> {
    // In one statement, so that the version fits the rows.
    const rows = await query<Partial<Row> & { readonly version: number }>(
      `SELECT v.version, s.slot, s.resource, s.definition, s.filled_to >= s.last_id AS filled FROM warren_slots_version v
       LEFT JOIN warren_slots s ON NOT s.is_dropped ORDER BY s.slot`,
    );
    const slots = rows.flatMap((row) => (row.slot === undefined || row.slot === null ? [] : slotOf(row as Row)));
    this.#version = rows[0]?.version ?? 0;
    this.#byResource = Map.groupBy(slots, ({ resource }) => resource);
    this.#byDefinition = new Map(slots.map((slot) => [nameOf(slot.resource, slot.definition), slot]));
    const present = new Set(slots.map(({ number }) => number));
    if ([...this.#required].every((number) => present.has(number))) return;
    this.#onMissing();
    throw new StoreUnavailable("Another process has dropped what this one declares, as if it had ended. It is made again.");
  }

  of({ name }: Pick<Resource, "name">): readonly Slot[] {
    return this.#byResource.get(name) ?? [];
  }

  /** Returns the slot of a declaration. Undefined if the database does not have it. */
  find({ name }: Pick<Resource, "name">, definition: SlotDefinition): Slot | undefined {
    return this.#byDefinition.get(nameOf(name, definition));
  }

  /** Returns the number of a declaration's slot, or 0, which no slot has, if the database does not have it. */
  numberOf(resource: Pick<Resource, "name">, definition: SlotDefinition): number {
    return this.find(resource, definition)?.number ?? 0;
  }

  /** Returns the unique keys of a resource that are enforced: those of this program, and of other versions of it that run. */
  uniqueKeys(resource: Pick<Resource, "name">): { readonly slot: number; readonly key: UniqueKey }[] {
    return this.of(resource).flatMap(({ number, definition }) =>
      definition.kind === "unique" ? [{ slot: number, key: definition.key }] : [],
    );
  }

  /**
   * Adds what a change of a record changes in the entries to `changes`.
   *
   * @param before the record as it is stored before. Undefined if it does not exist.
   * @param after the record as it will be stored. Undefined if it is deleted.
   */
  addChanges(
    resource: Pick<Resource, "name">,
    id: number,
    before: object | undefined,
    after: object | undefined,
    changes: EntryChanges,
  ): void {
    for (const { number: slot, definition, entriesOf: entries } of this.of(resource)) {
      const [old, now] = [before ? entries(before) : none, after ? entries(after) : none];
      const isUnique = definition.kind === "unique";
      for (const [key, count] of old) {
        if (now.get(key) === count) continue;
        if (isUnique) changes.removedValues.push({ slot, value: key, id });
        else changes.removed.push({ slot, key, id, count });
      }
      for (const [key, count] of now) {
        if (old.get(key) === count) continue;
        if (isUnique) changes.addedValues.push({ slot, value: key, id });
        else changes.added.push({ slot, key, id, count });
      }
    }
  }
}

const none: ReadonlyMap<string, number | null> = new Map();

/** Returns an empty collection for {@link Slots.addChanges}. */
export function noChanges(): EntryChanges {
  return { removed: [], added: [], removedValues: [], addedValues: [] };
}

function slotOf({ slot, resource, definition, filled }: Row): Slot {
  const parsed = JSON.parse(definition) as SlotDefinition;
  return { number: slot, resource, definition: parsed, isFilled: filled, entriesOf: entriesOf(parsed) };
}

function nameOf(resource: string, definition: SlotDefinition): string {
  return `${resource} ${JSON.stringify(definition)}`;
}
