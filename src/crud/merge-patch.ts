import { type TSchema, Type } from "@sinclair/typebox";
import { checkOf } from "../schema/check";

/** A merge patch for `T`: null where a property may be missing. That null also stands for a default, the type cannot say. */
export type Patch<T> = { [Key in keyof T]?: T[Key] | (object extends Pick<T, Key> ? null : never) };

/** Applies a JSON merge patch: RFC 7396, section 2. Neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** The schema of a merge patch for an object: every property may be left out, and null where it may be missing, at every depth. */
export function mergePatchSchema(schema: TSchema): TSchema {
  if (schema["anyOf"]) return Type.Union((schema["anyOf"] as TSchema[]).map(mergePatchSchema), descriptionOf(schema));
  if (schema["type"] !== "object" || !schema["properties"]) return schema;
  const required = new Set(schema["required"] as string[] | undefined);
  const properties = Object.entries(schema["properties"] as Record<string, TSchema>).map(([name, property]) => {
    // What is left out of a patch stays as it is.
    const { default: _, ...patch } = mergePatchSchema(property) as TSchema & { default?: unknown };
    // Null takes a value away: one with a default goes back to that, and one that may be missing is gone.
    const removable = "default" in property || !required.has(name);
    return [name, Type.Optional(removable ? orNull(patch as TSchema) : (patch as TSchema))];
  });
  return Type.Object(Object.fromEntries(properties), { additionalProperties: schema["additionalProperties"] ?? true });
}

function orNull(schema: TSchema): TSchema {
  return checkOf(schema).Check(null) ? schema : Type.Union([schema, Type.Null()], descriptionOf(schema));
}

function descriptionOf({ description }: TSchema): { description?: string } {
  return description === undefined ? {} : { description };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
