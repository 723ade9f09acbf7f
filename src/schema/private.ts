import type { TProperties } from "@sinclair/typebox";
import type { Resource } from "./resource";

/** The fields that are shown to others than the service itself. */
export type Shown<Fields, Private extends readonly string[]> = [Private[number]] extends [never] ? Fields : Omit<Fields, Private[number]>;

/**
 * Returns the schemas of the fields that are not private.
 *
 * @throws {TypeError} if a private field does not exist, or is one that the service needs to show.
 */
export function shownFields(resource: string, fields: TProperties, hidden: readonly string[], access: readonly string[]): TProperties {
  for (const field of hidden) {
    if (!Object.hasOwn(fields, field)) throw new TypeError(`Resource "${resource}": the private field "${field}" does not exist.`);
    if (access.includes(field))
      throw new TypeError(`Resource "${resource}": the field "${field}" cannot be private, because it says to whom a record belongs.`);
  }
  return Object.fromEntries(Object.entries(fields).filter(([field]) => !hidden.includes(field)));
}

/** Returns a record without its private fields. */
export function withoutPrivate<R extends object>({ private: hidden }: Pick<Resource, "private">, record: R): R {
  if (hidden.length === 0) return record;
  return Object.fromEntries(Object.entries(record).filter(([field]) => !hidden.includes(field))) as R;
}

/** Returns a record from an event, which has no private fields, with the defaults of those that have one. */
export function withPrivateDefaults({ private: hidden, fields }: Pick<Resource, "private" | "fields">, record: object): object {
  const defaults = hidden.flatMap((field) => {
    const { default: fallback } = fields.properties[field] ?? {};
    return fallback === undefined ? [] : [[field, structuredClone(fallback) as unknown] as const];
  });
  return defaults.length === 0 ? record : { ...Object.fromEntries(defaults), ...record };
}
