import { type TSchema, Type } from "@sinclair/typebox";

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

/** The schema of a merge patch for an object: every property may be left out, at every depth. */
export function mergePatchSchema(schema: TSchema): TSchema {
  if (schema["anyOf"]) return Type.Union((schema["anyOf"] as TSchema[]).map(mergePatchSchema), descriptionOf(schema));
  if (schema["type"] !== "object" || !schema["properties"]) return schema;
  const properties = Object.entries(schema["properties"] as Record<string, TSchema>).map(([name, property]) => {
    // What is left out of a patch stays as it is.
    const { default: _, ...patch } = mergePatchSchema(property) as TSchema & { default?: unknown };
    return [name, Type.Optional(patch as TSchema)];
  });
  return Type.Object(Object.fromEntries(properties), { additionalProperties: schema["additionalProperties"] ?? true });
}

function descriptionOf(schema: TSchema): { description?: string } {
  return schema.description === undefined ? {} : { description: schema.description };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
