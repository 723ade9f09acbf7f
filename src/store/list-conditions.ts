import { type Filter, filtersOf } from "../schema/filter";
import type { Resource } from "../schema/resource";
import { indexesOf, limitFields } from "./list-indexes";
import { type Lookup, lookupsOf } from "./list-lookups";
import type { Condition, Listing } from "./listing";

/** A condition for one field of a list: only `exact`, only the bounds, only `prefix`, or only `contains`. */
export interface Given {
  readonly path: string;
  readonly condition: Condition;
}

/** The conditions that the lists of a resource can have. */
export class ListConditions {
  /** How a list can be filtered, by the path of the field. */
  readonly filters: ReadonlyMap<string, readonly Filter[]>;
  /** The fields that have an index of their own. */
  readonly #indexed: ReadonlySet<string>;
  readonly #lookups: ReadonlyMap<string, Lookup>;

  constructor(readonly resource: Resource) {
    const filters: Record<string, Filter | readonly Filter[] | undefined> = { ...resource.filters, updatedAt: "range" };
    for (const path of limitFields(resource).flat()) filters[path] = [...new Set([...filtersOf(filters[path]), "exact" as const])];
    this.filters = new Map(Object.entries(filters).map(([path, filter]) => [path, filtersOf(filter)]));
    this.#indexed = new Set(indexesOf(resource).flatMap(({ keys }) => (keys.length === 1 ? keys.map(({ path }) => path) : [])));
    this.#lookups = lookupsOf(resource);
  }

  /** @throws {TypeError} if the resource has no such filter. Code that is not type-checked may ask for it. */
  given({ filters = {}, updatedSince }: Listing): Given[] {
    const conditions = { ...filters, ...(updatedSince !== undefined && { updatedAt: { min: updatedSince } }) };
    return Object.entries<Condition>(conditions).flatMap(([path, condition]) => {
      if (!this.filters.has(path)) throw new TypeError(`The resource "${this.resource.name}" has no filter for "${path}".`);
      return partsOf(condition).map((part) => ({ path, condition: part }));
    });
  }

  /** Returns the entries that find the records of a condition. Undefined if there are none. */
  lookupOf({ path, condition }: Given): Lookup | undefined {
    const lookup = this.#lookups.get(path);
    return lookup?.keysOf(condition) && lookup;
  }

  hasIndex(one: Given): boolean {
    return this.#indexed.has(one.path) || this.lookupOf(one) !== undefined;
  }

  /** Returns whether an index finds just the records that match a condition, and not more. */
  isWhole(one: Given): boolean {
    return this.lookupOf(one)?.isWhole(one.condition) ?? true;
  }
}

/** Returns the parts of a condition, each of which one range of an index can find. */
function partsOf({ exact, min, max, prefix, contains }: Condition): Condition[] {
  return [
    ...(exact ? [{ exact }] : []),
    ...(min !== undefined || max !== undefined ? [{ min, max }] : []),
    ...(prefix === undefined ? [] : [{ prefix }]),
    ...(contains?.length ? [{ contains }] : []),
  ];
}
