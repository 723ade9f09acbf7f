import type { Resource } from "../../../schema/resource";
import { StoreUnavailable } from "../../errors";
import { elementPaths, indexesOf, type ListIndex } from "../../list-indexes";
import type { Lookup } from "../../list-lookups";
import { IndexKeys } from "../slots/index-keys";
import {
  elementSlot,
  keyFields,
  listSlot,
  referenceSlot,
  type SlotDefinition,
  titleOf,
  uniqueSlot,
  wordSlot,
} from "../slots/slot-definition";
import type { Slots } from "../slots/slots";
import { partOf } from "../slots/sortable";

/** An index for lists, as the database has it. */
export interface KeyedIndex {
  readonly keys: IndexKeys;
  readonly definition: SlotDefinition;
}

/** Finds the slots that the lists of a resource read. */
export class ListSlots {
  readonly #indexes: ReadonlyMap<string, KeyedIndex>;
  readonly #lookups: ReadonlyMap<string, SlotDefinition>;
  readonly #words: SlotDefinition;

  constructor(
    readonly resource: Resource,
    readonly slots: Slots,
  ) {
    this.#indexes = new Map(
      indexesOf(resource).map((index) => [
        index.name,
        { keys: new IndexKeys(keyFields(resource, index)), definition: listSlot(resource, index) },
      ]),
    );
    this.#lookups = new Map<string, SlotDefinition>([
      ...resource.unique.map((key) => [`unique ${key.name}`, uniqueSlot(key)] as const),
      ...resource.references.map((reference) => [`reference ${reference.path}`, referenceSlot(reference)] as const),
      ...elementPaths(resource).map((path) => [`elements ${path}`, elementSlot(path)] as const),
    ]);
    this.#words = wordSlot(resource);
  }

  indexOf({ name }: Pick<ListIndex, "name">): KeyedIndex {
    return this.#indexes.get(name) as KeyedIndex;
  }

  /** @throws {StoreUnavailable} if the entries of the index are not complete. */
  numberOf({ definition }: Pick<KeyedIndex, "definition">): number {
    const slot = this.slots.find(this.resource, definition);
    if (slot?.isFilled) return slot.number;
    throw new StoreUnavailable(
      `${titleOf(this.resource.name, definition)} is not complete. Another version of the program has dropped it.`,
    );
  }

  numberOfLookup({ kind, path }: Lookup): number {
    return this.numberOf({ definition: this.#lookups.get(`${kind} ${path}`) as SlotDefinition });
  }

  get numberOfWords(): number {
    return this.numberOf({ definition: this.#words });
  }
}

/** Returns the keys of the entries that a lookup finds for some values. Those of a unique key are its values. */
export function lookupKeys({ kind }: Lookup, values: readonly (string | number | null)[]): string[] {
  return values.flatMap((value) => (value === null ? [] : kind === "unique" ? String(value) : partOf(value, false)));
}
