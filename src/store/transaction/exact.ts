import { isTimeAt } from "../../schema/field-at";
import { filtersOf } from "../../schema/filter";
import { stepsOf, valueAt } from "../../schema/path-values";
import type { At } from "../../schema/paths";
import type { Resource, ResourceTypes } from "../../schema/resource";

/** The paths with the filter `exact`. */
type ExactPath<Filters> = { [P in keyof Filters & string]: "exact" extends OneOf<Filters[P]> ? P : never }[keyof Filters & string];
type OneOf<Filter> = Filter extends readonly (infer One)[] ? One : Filter;

/** Values of fields that have the filter `exact`, by path. A record must have all of them. Null also stands for a missing value. */
export type Exact<T extends ResourceTypes> = { readonly [P in ExactPath<T["filters"]>]?: At<T["fields"], P> | null };

/** @throws {TypeError} if a path has no filter `exact`, none has an index, or one is a time, which is not compared as text. */
export function checkExact({ name, filters, indexes, references, fields }: Resource, where: object): void {
  const paths = Object.keys(where);
  const refuse = (what: string): never => {
    throw new TypeError(`A transaction cannot list "${name}" by ${what}.`);
  };
  for (const path of paths) {
    if (!filtersOf(filters[path]).includes("exact")) refuse(`"${path}", which does not have the filter "exact"`);
    if (isTimeAt(fields, path)) refuse(`the time "${path}"`);
  }
  const isIndexed = (path: string) => indexes.includes(path) || references.some((reference) => reference.path === path);
  if (!paths.some(isIndexed)) refuse("fields without an index; name one of them in `indexes`");
}

/** Returns whether a record has these values. */
export function matcherOf(where: object): (record: object) => boolean {
  const wanted = Object.entries(where).map(([path, value]) => ({ steps: stepsOf(path), value: value as unknown }));
  return (record) => wanted.every(({ steps, value }) => valueAt(record, steps) === value);
}
