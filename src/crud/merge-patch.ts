import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/**
 * The type of a merge patch for `T`. Null is allowed where a property may be missing. Null also restores a default, but
 * the type cannot express that.
 */
export type Patch<T> = { [Key in keyof T]?: T[Key] | (object extends Pick<T, Key> ? null : never) };

/** Returns the target with a JSON merge patch applied (RFC 7396, section 2). The arguments are not modified. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/**
 * Returns the schema of a merge patch for an object. At every depth, each property may be omitted, and may be null if it
 * is optional or has a default.
 */
export function mergePatchSchema(schema: TSchema): TSchema {
  if (schema["anyOf"]) return Type.Union((schema["anyOf"] as TSchema[]).map(mergePatchSchema), descriptionOf(schema));
  if (schema["type"] !== "object" || !schema["properties"]) return schema;
  const required = new Set(schema["required"] as string[] | undefined);
  const properties = Object.entries(schema["properties"] as Record<string, TSchema>).map(([name, property]) => {
    // No default: a property that a patch omits keeps its value.
    const { default: _, ...patch } = mergePatchSchema(property) as TSchema & { default?: unknown };
    // Null removes a value. A property with a default returns to it, and an optional property is deleted.
    const removable = "default" in property || !required.has(name);
    return [name, Type.Optional(removable ? orNull(patch as TSchema) : (patch as TSchema))];
  });
  return Type.Object(Object.fromEntries(properties), { additionalProperties: schema["additionalProperties"] ?? true });
}

function orNull(schema: TSchema): TSchema {
  return Value.Check(schema, null) ? schema : Type.Union([schema, Type.Null()], descriptionOf(schema));
}

function descriptionOf({ description }: TSchema): { description?: string } {
  return description === undefined ? {} : { description };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
