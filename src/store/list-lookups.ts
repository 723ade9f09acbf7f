import { isTimeAt } from "../schema/field-at";
import type { Resource } from "../schema/resource";
import { compared } from "./compared-values";
import { elementPaths } from "./list-indexes";
import type { Condition } from "./listing";
import { uniqueValueOf } from "./unique-values";

/** Entries that an engine keeps of the records by the values of a field, which serve the field's filter as an index. */
export interface Lookup {
  readonly kind: "unique" | "reference" | "elements";
  /** Path of the field. It is the name of a unique key, too. */
  readonly path: string;
  /** Returns the values to look up. Undefined if the entries do not find all records that match. */
  keysOf(condition: Condition): readonly (string | number | null)[] | undefined;
  /** Returns whether all records that the entries find match the condition. */
  isWhole(condition: Condition): boolean;
}

/** Returns the entries that serve the filters of a resource, by path: those of arrays, of references and of unique values. */
export function lookupsOf(resource: Resource): ReadonlyMap<string, Lookup> {
  const { references, unique, fields } = resource;
  const keys = unique.filter(({ paths: [path = ""], ...key }) => key.name === path && key.within.length === 0 && !isTimeAt(fields, path));
  const lookups = [
    ...keys.map((key): Lookup => {
      const uniqueValue = uniqueValueOf(key);
      const keysOf = valuesOf((value) => uniqueValue(recordWith(key.name, value)));
      // Different texts may have the same key.
      return { kind: "unique", path: key.name, keysOf, isWhole: () => false };
    }),
    ...references.map(({ path }): Lookup => ({ kind: "reference", path, keysOf: valuesOf(compared), isWhole: () => true })),
    ...elementPaths(resource).map((path): Lookup => {
      const keysOf = ({ contains }: Condition) => contains?.slice(0, 1).map(compared);
      return { kind: "elements", path, keysOf, isWhole: ({ contains }) => contains?.length === 1 };
    }),
  ];
  return new Map(lookups.map((lookup) => [lookup.path, lookup]));
}

/** Returns a function that returns the keys of the values of `exact`. No such entries have null. */
function valuesOf(keyOf: (value: string | number | boolean) => string | number | null): Lookup["keysOf"] {
  return ({ exact }) => {
    const values = exact?.filter((value) => value !== null);
    return values?.length === exact?.length ? values?.map(keyOf) : undefined;
  };
}

function recordWith(path: string, value: unknown): object {
  return path.split(".").reduceRight((inside, name) => ({ [name]: inside }), value) as object;
}
