import { filtersOf } from "../schema/filter";
import type { Resource } from "../schema/resource";
import { reversed, type SortKey, sortKeys } from "../schema/sort";

/** An index for lists: records in the order of some fields, and then of their ids. */
export interface ListIndex {
  /** The fields, such as `state,-due`. */
  readonly name: string;
  /** The last one is ascending, as the ids are. */
  readonly keys: readonly SortKey[];
}

/** Returns the indexes that the lists of a resource need. */
export function indexesOf(resource: Resource): ListIndex[] {
  const { indexes, sorts } = resource;
  const arrays = new Set(elementPaths(resource));
  const single = ["createdAt", "updatedAt", ...indexes.filter((path) => !arrays.has(path))].map((path) => [path]);
  const all = [...single, ...sorts].map((order) => (order.at(-1)?.startsWith("-") ? reversed(order) : order));
  const orders = [...all, ...limitFields(resource).flatMap((fields) => [fields, ...all.map((order) => [...fields, ...order])])];
  const named = orders.map((order): [string, ListIndex] => {
    const name = order.join(",");
    return [name, { name, keys: sortKeys(order) }];
  });
  return [...new Map(named).values()];
}

/**
 * Returns the fields that limit what an actor sees in a list: those of tenant and owner, of which one or both may apply. Each sort order
 * has an index that begins with them, so that a list reads nothing of others.
 */
export function limitFields({ access: { owner, scope } }: Resource): string[][] {
  const fields = [...(scope ? [scope.field] : []), ...(owner === undefined ? [] : [owner])];
  return fields.length < 2 ? fields.map((field) => [field]) : [fields.slice(0, 1), fields];
}

/** Returns the paths of the arrays whose filter `contains` has an index. */
export function elementPaths({ filters, indexes }: Pick<Resource, "filters" | "indexes">): string[] {
  return indexes.filter((path) => filtersOf(filters[path]).includes("contains"));
}
