import type { TProperties, TSchema } from "@sinclair/typebox";
import { placeOf } from "./mistakes";

/** One step of a path. `isEach` means that the value is an array, and that the path goes on in each of its elements. */
interface Step {
  readonly name: string;
  readonly isEach: boolean;
}

/** A value in a record, with its place as a JSON pointer (RFC 6901). */
export interface PlacedValue {
  readonly pointer: string;
  readonly value: unknown;
}

/** Returns the steps of a path such as `address.city` or `lines[].product`. */
export function stepsOf(path: string): readonly Step[] {
  return path.split(".").map((part) => ({ name: part.replace(/\[\]$/, ""), isEach: part.endsWith("[]") }));
}

/** Returns the value at a path that does not lead into an array. Returns null if there is none. */
export function valueAt(record: unknown, steps: readonly Step[]): unknown {
  let value = record;
  for (const { name } of steps) value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return value ?? null;
}

/** Returns the values at a path, one for each element of the arrays on its way, without null. */
export function valuesAt(record: unknown, steps: readonly Step[]): PlacedValue[] {
  let found: { readonly place: readonly (string | number)[]; readonly value: unknown }[] = [{ place: [], value: record }];
  for (const { name, isEach } of steps) {
    found = found.flatMap(({ place, value }) => {
      const next = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
      if (!isEach) return { place: [...place, name], value: next };
      return Array.isArray(next) ? next.map((element: unknown, index) => ({ place: [...place, name, index], value: element })) : [];
    });
  }
  return found.flatMap(({ place, value }) => (value === undefined || value === null ? [] : { pointer: placeOf(...place), value }));
}

/** Returns the different values at a path, without null. */
export function distinctAt(record: unknown, steps: readonly Step[]): Set<unknown> {
  if (steps.some(({ isEach }) => isEach)) return new Set(valuesAt(record, steps).map(({ value }) => value));
  const value = valueAt(record, steps);
  return new Set(value === null ? [] : [value]);
}

/** Returns the types of the values at a path, such as `["string", "null"]`. Returns an empty array if the path does not exist. */
export function typesAt(properties: TProperties, path: string): string[] {
  let schemas: TSchema[] = [{ type: "object", properties } as unknown as TSchema];
  for (const { name, isEach } of stepsOf(path)) {
    const named = schemas.flatMap((schema) => propertyOf(schema, name)).flatMap(alternativesOf);
    schemas = isEach ? named.flatMap(({ items }) => (items === undefined ? [] : alternativesOf(items as TSchema))) : named;
  }
  return [...new Set(schemas.map(typeOf))];
}

function propertyOf({ properties = {} }: TSchema, name: string): TSchema[] {
  return Object.hasOwn(properties as object, name) ? [(properties as TProperties)[name] as TSchema] : [];
}

/** Returns the schemas of a union, at every depth. Returns the schema itself if it is none. */
export function alternativesOf(schema: TSchema): TSchema[] {
  return Array.isArray(schema["anyOf"]) ? (schema["anyOf"] as TSchema[]).flatMap(alternativesOf) : [schema];
}

function typeOf({ type, const: constant }: TSchema): string {
  return typeof type === "string" ? type : constant === undefined ? "any" : typeof constant;
}
