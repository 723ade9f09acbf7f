import { documentedAs } from "../schema/documented";

export type Json = Record<string, unknown>;

/** Keys whose values are data and contain no schemas. */
const data = new Set(["example", "examples", "default", "const", "enum"]);

/** Applies `change` to every object of a document, innermost first. Examples and other data are not changed. */
export function rebuild<T>(value: T, change: (object: Json) => Json): T {
  if (Array.isArray(value)) return value.map((one: unknown) => rebuild(one, change)) as T;
  if (!isObject(value)) return value;
  const inner = Object.entries(value).map(([key, one]) => {
    if (data.has(key)) return [key, one];
    // The keys of `properties` are names of properties, which may be the same as those in `data`.
    return [key, key === "properties" && isObject(one) ? mapValues(one, (each) => rebuild(each, change)) : rebuild(one, change)];
  });
  return change(Object.fromEntries(inner)) as T;
}

/** Replaces each schema in a part of a document by its documented one, if it has one. */
export function documented<T>(value: T): T {
  return rebuild(value, ({ [documentedAs]: shown, ...own }) => {
    if (!isObject(shown)) return own;
    const { description } = own;
    return { ...(description !== undefined && { description }), ...shown };
  });
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function mapValues<T>(object: Json, map: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
