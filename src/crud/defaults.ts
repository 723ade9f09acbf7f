import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { checkOf } from "../schema/check";
import type { Resource, ResourceTypes } from "../schema/resource";

/** Returns the schema of a value in a request: a property that has a default may be omitted, at every depth. */
export function inputSchema(schema: TObject): TObject;
export function inputSchema(schema: TSchema): TSchema;
export function inputSchema(schema: TSchema): TSchema {
  const { type: _type, properties, required: _required, items, anyOf, ...options } = schema as Parts;
  if (properties) {
    const inputs = Object.entries(properties).map(([name, property]) => {
      const input = inputSchema(property);
      return [name, "default" in property ? Type.Optional(input) : input];
    });
    return Type.Object(Object.fromEntries(inputs), options);
  }
  if (items && !Array.isArray(items)) return Type.Array(inputSchema(items), options);
  if (anyOf) return Type.Union(anyOf.map(inputSchema), options);
  return schema;
}

/** Returns the stored form of a record in a request: a field that the request omits has its default. */
export function complete<T extends ResourceTypes>(resource: Resource<T>, input: unknown): T["input"] {
  return withDefaults(resource.input, input) as T["input"];
}

/** Returns a copy of the value in which omitted properties have the defaults of the schema. The argument is not modified. */
export function withDefaults(schema: TSchema, value: unknown): unknown {
  if (value === undefined) return structuredClone(schema["default"]);
  if (typeof value !== "object" || value === null) return value;
  const alternatives = structuredIn(schema);
  if (alternatives.length > 1) {
    const filled = alternatives.map((each) => ({ each, value: withDefaults(each, value) }));
    return filled.find(({ each, value }) => checkOf(each).Check(value))?.value ?? value;
  }
  const { properties, items } = alternatives[0] ?? (schema as Parts);
  if (Array.isArray(value)) return items && !Array.isArray(items) ? value.map((each) => withDefaults(items, each)) : value;
  if (!properties) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, property] of Object.entries(properties)) {
    const field = withDefaults(property, Object.hasOwn(filled, name) ? filled[name] : undefined);
    if (field !== undefined) filled[name] = field;
  }
  return filled;
}

type Parts = TSchema & {
  type?: unknown;
  properties?: Record<string, TSchema>;
  required?: unknown;
  items?: TSchema | TSchema[];
  anyOf?: TSchema[];
};

/** Returns the object and array schemas that a value may have. For a union, these are the ones among its alternatives. */
function structuredIn(schema: Parts): Parts[] {
  if (schema.anyOf) return schema.anyOf.flatMap(structuredIn);
  return schema.properties || schema.items ? [schema] : [];
}
