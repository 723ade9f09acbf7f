import { isTimeAt } from "../../../schema/field-at";
import type { Resource } from "../../../schema/resource";
import type { UniqueKey } from "../../../schema/unique";
import { referenceTitle, uniqueTitle } from "../../broken-declarations";
import { elementPaths, indexesOf, type ListIndex } from "../../list-indexes";
import { comparisonVersion } from "../../unique-values";
import type { KeyField } from "./index-keys";

/**
 * What the entries of a slot are made of: the records in the order of some fields, the values of a unique key, the records that refer to
 * others, the elements of an array, or the words of a search. It is complete, so that a process of another version of the program makes the
 * same entries, whatever that version declares.
 */
export type SlotDefinition =
  | { readonly kind: "list"; readonly fields: readonly KeyField[]; readonly format: number }
  | { readonly kind: "unique"; readonly key: UniqueKey; readonly format: number }
  | { readonly kind: "reference"; readonly path: string; readonly to: string }
  | { readonly kind: "elements"; readonly path: string; readonly format: number }
  | { readonly kind: "words"; readonly paths: readonly string[]; readonly format: number };

/** Version of the form of keys. Increase it when it changes, so that all entries are made again, in other slots. */
const format = 1;

/** Returns what a resource declares. */
export function declaredSlots(resource: Resource): SlotDefinition[] {
  return [
    ...resource.unique.map(uniqueSlot),
    ...resource.references.map(referenceSlot),
    ...indexesOf(resource).map((index) => listSlot(resource, index)),
    ...elementPaths(resource).map(elementSlot),
    ...(resource.search.length > 0 ? [wordSlot(resource)] : []),
  ];
}

export function listSlot(resource: Resource, index: ListIndex): SlotDefinition {
  return { kind: "list", fields: keyFields(resource, index), format };
}

/** Returns the fields of the keys of an index. */
export function keyFields({ fields }: Pick<Resource, "fields">, { keys }: ListIndex): KeyField[] {
  return keys.map(({ path, descending }) => ({ path, descending, isTime: isTimeAt(fields, path) }));
}

export function uniqueSlot({ name, paths, within, ignoreCase }: UniqueKey): SlotDefinition {
  return { kind: "unique", key: { name, paths, within, ignoreCase }, format: comparisonVersion };
}

export function referenceSlot({ path, to }: Resource["references"][number]): SlotDefinition {
  return { kind: "reference", path, to };
}

export function elementSlot(path: string): SlotDefinition {
  return { kind: "elements", path, format };
}

export function wordSlot({ search }: Pick<Resource, "search">): SlotDefinition {
  return { kind: "words", paths: search, format };
}

/** Describes a declaration in messages: `The unique key "email" of "user"`. */
export function titleOf(resource: string, definition: SlotDefinition): string {
  switch (definition.kind) {
    case "list": {
      const order = definition.fields.map(({ path, descending }) => `${descending ? "-" : ""}${path}`);
      return `The index "${order.join(",")}" of "${resource}"`;
    }
    case "unique":
      return uniqueTitle(resource, definition.key);
    case "reference":
      return referenceTitle(resource, definition.path);
    case "elements":
      return `The index "${definition.path}" of "${resource}"`;
    case "words":
      return `The search of "${resource}"`;
  }
}
