import { type TObject, type TSchema, Type } from "@sinclair/typebox";

/** What a client may send for `T`: what may be null may be left out, at every depth. */
export type Input<T> = T extends readonly (infer Element)[]
  ? Input<Element>[]
  : T extends object
    ? { [Key in keyof T as null extends T[Key] ? never : Key]: Input<T[Key]> } & {
        [Key in keyof T as null extends T[Key] ? Key : never]?: Input<T[Key]>;
      }
    : T;

/** The schema of what a client may send: a property that has a default may be left out, at every depth. */
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

/** The value with every default of its schema filled in where something was left out. The value itself is not changed. */
export function withDefaults(schema: TSchema, value: unknown): unknown {
  if (value === undefined) return structuredClone(schema["default"]);
  if (typeof value !== "object" || value === null) return value;
  const { properties, items } = objectOrList(schema);
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

/** Looks through `Nullable`: of several alternatives nobody can say which one a value was meant to be. */
function objectOrList(schema: Parts): Parts {
  const structured = schema.anyOf?.filter((each: Parts) => each.properties || each.items);
  return (structured?.length === 1 && structured[0]) || schema;
}
