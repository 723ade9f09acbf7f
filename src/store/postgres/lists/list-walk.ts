import type { ComparedValue } from "../../compared-values";
import type { Given } from "../../list-conditions";
import type { ByIndex, Way } from "../../list-ways";
import type { Place } from "../../listing";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";
import { afterAll } from "../slots/sortable";
import { idsOfValues, idsWith, type KeyPlace, type ListReader } from "./list-reader";
import { type KeyedIndex, type ListSlots, lookupKeys } from "./list-slots";

/** A way through a list, as ranges of PostgreSQL's indexes. */
export interface Walk {
  /** The conditions that all records on the way match. */
  readonly covered: ReadonlySet<Given>;
  /** Reads the next records in the order of the list. Fewer than `limit` are the last ones. */
  read(queries: Queries, after: Place | undefined, limit: number): Promise<StoredRow[]>;
  /** Returns the place of a record in the list. */
  placeOf(row: StoredRow): Place;
}

/** A walk along the ids that several keys have, which are merged. */
export interface MergedWalk {
  readonly covered: ReadonlySet<Given>;
  readonly descending: boolean;
  /** Number of the keys. */
  readonly count: number;
  readonly placeOf: Walk["placeOf"];
  /** Reads the next ids of each key. */
  ids(queries: Queries, after: number | undefined, limit: number): Promise<number[][]>;
}

/** Returns the walk along a way. */
export function walkAlong(reader: ListReader, slots: ListSlots, way: Way): Walk | MergedWalk {
  const { by, descending, covered } = way;
  if (by.kind === "id")
    return { covered, read: (queries, after, limit) => reader.byId(queries, after?.id, descending, limit), placeOf: placeById };
  if (by.kind === "lookup") {
    const [slot, keys] = [slots.numberOfLookup(by.lookup), lookupKeys(by.lookup, by.values)];
    if (by.lookup.kind !== "unique") return withKeys(reader, way, slot, keys);
    const inOrder = (a: number, b: number) => (descending ? b - a : a - b);
    const isAfter = (id: number, after: number | undefined) => after === undefined || inOrder(id, after) > 0;
    const ids: MergedWalk["ids"] = async (queries, after, limit) => {
      const found = await idsOfValues(queries, slot, keys);
      return [
        found
          .filter((id) => isAfter(id, after))
          .sort(inOrder)
          .slice(0, limit),
      ];
    };
    return { covered, descending, count: 1, placeOf: placeById, ids };
  }
  const index = slots.indexOf(by.index);
  if (by.rest.length > 0) return alongIndex(reader, slots, way, index, by);
  return withKeys(reader, way, slots.numberOf(index), [...new Set(by.variants.map((values) => index.keys.range(values).from))]);
}

function withKeys(reader: ListReader, { covered, descending }: Way, slot: number, keys: readonly string[]): Walk | MergedWalk {
  const [key, ...others] = keys;
  if (key !== undefined && others.length === 0) {
    const none = descending ? Number.MAX_SAFE_INTEGER : 0;
    const end = descending ? key : afterAll(key);
    const read: Walk["read"] = (queries, after, limit) =>
      reader.along(queries, { slot, after: { key, id: after?.id ?? none }, end, descending }, limit);
    return { covered, read, placeOf: placeById };
  }
  return {
    covered,
    descending,
    count: keys.length,
    placeOf: placeById,
    ids: (queries, after, limit) => idsWith(queries, { slot, keys }, after, descending, limit),
  };
}

function alongIndex(reader: ListReader, slots: ListSlots, { covered, descending }: Way, { keys, ...index }: KeyedIndex, by: ByIndex): Walk {
  const [values = []] = by.variants;
  const { from, to, isWhole } = keys.range(values, by.first?.condition);
  const slot = slots.numberOf({ definition: index.definition });
  const start: KeyPlace = { key: descending ? to : from, id: 0 };
  return {
    covered: isWhole ? covered : new Set([...covered].filter((one) => one !== by.first)),
    read: (queries, place, limit) => {
      const after = place
        ? later(start, { key: keys.ofValues([...keys.compared(values), ...place.keys]), id: place.id }, descending)
        : start;
      return reader.along(queries, { slot, after, end: descending ? from : to, descending }, limit);
    },
    placeOf: ({ id, json }) => ({ id, keys: keys.valuesIn(JSON.parse(json) as object).slice(values.length) as ComparedValue[] }),
  };
}

/** Returns the place of a record in a list by id. */
export function placeById({ id }: StoredRow): Place {
  return { keys: [], id };
}

/** Returns the one of two places that comes later in the list. */
function later(a: KeyPlace, b: KeyPlace, descending: boolean): KeyPlace {
  const order = Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.id - b.id;
  return order > 0 === descending ? b : a;
}
