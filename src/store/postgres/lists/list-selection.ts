import type { Given, ListConditions } from "../../list-conditions";
import type { Queries } from "../connection/queries";
import { countAlong, countWith, idsAlong, idsOfValues, idsWith } from "./list-reader";
import { type ListSlots, lookupKeys } from "./list-slots";

/** The ids that an index finds for a condition, in any order. */
export interface Selection {
  /** True if the records match the condition, and none that match are left out. */
  readonly isWhole: boolean;
  /** Reads up to `limit` ids, each once. */
  read(queries: Queries, limit: number): Promise<number[]>;
  /** Counts the ids, up to `limit`. */
  count(queries: Queries, limit: number): Promise<number>;
}

/** Returns what an index finds for a condition that has one. */
export function selectionOf(conditions: ListConditions, slots: ListSlots, one: Given): Selection {
  const { path, condition } = one;
  const lookup = conditions.lookupOf(one);
  if (lookup) {
    const [slot, keys] = [slots.numberOfLookup(lookup), lookupKeys(lookup, lookup.keysOf(condition) ?? [])];
    const isWhole = lookup.isWhole(condition);
    if (lookup.kind === "unique") {
      const read: Selection["read"] = async (queries, limit) => (await idsOfValues(queries, slot, keys)).slice(0, limit);
      return { isWhole, read, count: async (queries, limit) => (await read(queries, limit)).length };
    }
    return withKeys(slot, keys, isWhole);
  }
  const index = slots.indexOf({ name: path });
  const slot = slots.numberOf(index);
  if (condition.exact) return withKeys(slot, [...new Set(condition.exact.map((value) => index.keys.range([value]).from))], true);
  const { from, to, isWhole } = index.keys.range([], condition);
  const span = { slot, after: { key: from, id: 0 }, end: to, descending: false };
  return { isWhole, read: (queries, limit) => idsAlong(queries, span, limit), count: (queries, limit) => countAlong(queries, span, limit) };
}

/** Each record has at most one of the keys. */
function withKeys(slot: number, keys: readonly string[], isWhole: boolean): Selection {
  return {
    isWhole,
    read: async (queries, limit) => (await idsWith(queries, { slot, keys }, undefined, false, limit)).flat().slice(0, limit),
    count: async (queries, limit) => Math.min(limit, await countWith(queries, { slot, keys }, limit)),
  };
}
