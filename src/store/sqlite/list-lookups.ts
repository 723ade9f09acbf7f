import { isTimeAt } from "../../schema/field-at";
import type { Resource } from "../../schema/resource";
import type { Condition } from "../listing";
import { uniqueValueOf } from "../unique-values";
import { stored } from "./list-keys";
import { elementTables } from "./list-tables";
import { referenceTableName } from "./reference-table";
import { uniqueTableName } from "./unique-table";

/** A table that has the ids of records by the values of a field, which serves the field's filter as an index. */
export interface Lookup {
  readonly table: string;
  readonly column: string;
  /** Returns the values to look up. Undefined if the table does not find all records that match. */
  keysOf(condition: Condition): readonly (string | number | null)[] | undefined;
  /** Returns whether all records that the table finds match the condition. */
  isWhole(condition: Condition): boolean;
}

/** Returns the tables that serve the filters of a resource, by path: those of arrays, of references and of unique values. */
export function lookupsOf(resource: Resource): ReadonlyMap<string, Lookup> {
  const { plural, references, unique, fields } = resource;
  const keys = unique.filter(({ paths: [path = ""], ...key }) => key.name === path && key.within.length === 0 && !isTimeAt(fields, path));
  return new Map<string, Lookup>([
    ...keys.map((key): [string, Lookup] => {
      const uniqueValue = uniqueValueOf(key);
      const keysOf = valuesOf((value) => uniqueValue(recordWith(key.name, value)));
      // Different texts may have the same key.
      return [key.name, { table: uniqueTableName(plural, key.name), column: "value", keysOf, isWhole: () => false }];
    }),
    ...references.map(({ path }): [string, Lookup] => {
      return [path, { table: referenceTableName(plural, path), column: "target", keysOf: valuesOf(stored), isWhole: () => true }];
    }),
    ...elementTables(resource).map(({ path, name }): [string, Lookup] => {
      const keysOf = ({ contains }: Condition) => contains?.slice(0, 1).map(stored);
      return [path, { table: name, column: "value", keysOf, isWhole: ({ contains }) => contains?.length === 1 }];
    }),
  ]);
}

/** Returns a function that returns the keys of the values of `exact`. No such table has null. */
function valuesOf(keyOf: (value: string | number | boolean) => string | number | null): Lookup["keysOf"] {
  return ({ exact }) => {
    const values = exact?.filter((value) => value !== null);
    return values?.length === exact?.length ? values?.map(keyOf) : undefined;
  };
}

function recordWith(path: string, value: unknown): object {
  return path.split(".").reduceRight((inside, name) => ({ [name]: inside }), value) as object;
}
