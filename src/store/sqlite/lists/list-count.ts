import type { Given } from "../../list-conditions";
import { type Count, countAtMost } from "../../listing";
import type { Bindings, Conditions } from "./list-conditions";
import type { ListReader } from "./list-reader";
import type { Search } from "./list-search";
import type { Sources } from "./list-sources";

interface Counted {
  readonly given: readonly Given[];
  /** Values for the parameters of all conditions, and of the search. */
  readonly bindings: Bindings;
  readonly conditions: Conditions;
  readonly sources: Sources;
  readonly search: Search;
  readonly reader: ListReader;
}

/**
 * Counts the records of a list, up to {@link countAtMost}. It reads no more than that number of records, or of entries of an index: a
 * count that needs more is not exact.
 */
export function countOf({ given, bindings, conditions, sources, search, reader }: Counted, words: string | undefined): Count {
  const indexed = given.filter((one) => conditions.hasIndex(one));
  const [driver = indexed[0]] = indexed.filter((one) => !reader.hasMore(sources.idsOf(one), countAtMost, bindings));
  const isSearch = words !== undefined;
  const ids = isSearch ? search.matches : driver ? sources.idsOf(driver) : sources.allIds;
  const others = isSearch ? given : given.filter((one) => one !== driver || !conditions.isWhole(one));
  if (others.length > 0) {
    const value = reader.count(`${ids} LIMIT ${countAtMost}`, conditions.all, bindings);
    return { value, isExact: !reader.hasMore(ids, countAtMost, bindings) };
  }
  const value = reader.count(`${ids} LIMIT ${countAtMost + 1}`, undefined, bindings);
  return { value: Math.min(value, countAtMost), isExact: value <= countAtMost };
}
