import { titleOf } from "../schema/documented";
import { isObject, type Json, mapValues } from "./rebuild";

export interface SchemaReference {
  readonly $ref: string;
}

/**
 * The named schemas of an AsyncAPI document. Code generators make one type per name. Without a name, each use of a schema
 * would become another type, such as `AnonymousSchema_12`.
 */
export class NamedSchemas {
  readonly schemas: Record<string, Json> = {};
  readonly #reserved: ReadonlySet<string>;

  /** @param reserved names that only {@link add} can use. Nested schemas cannot have them. */
  constructor(reserved: Iterable<string>) {
    this.#reserved = new Set(reserved);
  }

  /**
   * Adds a schema and returns a reference to it. Nested objects and enums get the name in their title, or else one that starts
   * with `name`.
   */
  add(name: string, schema: Json): SchemaReference {
    return this.#place(name, this.#parts(name, schema), () => true);
  }

  #place(name: string, schema: Json, isFree: (name: string) => boolean): SchemaReference {
    const fits = (candidate: string) =>
      isFree(candidate) && (!(candidate in this.schemas) || Bun.deepEquals(this.schemas[candidate], schema));
    let unique = name;
    for (let count = 2; !fits(unique); count += 1) unique = `${name}${count}`;
    this.schemas[unique] = schema;
    return { $ref: `#/components/schemas/${unique}` };
  }

  /** Returns a nested schema, or a reference to it if it gets a name. */
  #part(path: string, value: unknown): unknown {
    if (!isObject(value)) return value;
    const { title } = value;
    const name = typeof title === "string" && /^[A-Z]\w*$/.test(title) ? title : path;
    const schema = asEnum(this.#parts(name, value));
    const isType = "enum" in schema || (schema["type"] === "object" && "properties" in schema);
    if (!isType && !isUnion(schema)) return schema;
    return this.#place(isType ? name : `${name}Value`, schema, (free) => !this.#reserved.has(free));
  }

  #parts(name: string, schema: Json): Json {
    const parts = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
      if (keyword === "properties" && isObject(value)) {
        return [keyword, Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#part(name + titleOf(key), each)]))];
      }
      if (keyword === "patternProperties" && isObject(value))
        return [keyword, mapValues(value, (each) => this.#part(`${name}Entry`, each))];
      if (keyword === "additionalProperties") return [keyword, this.#part(`${name}Entry`, value)];
      if (keyword === "items")
        return [keyword, Array.isArray(value) ? this.#several(`${name}Item`, value) : this.#part(`${name}Item`, value)];
      return [keyword, /^(any|one|all)Of$/.test(keyword) && Array.isArray(value) ? this.#several(name, value) : value];
    });
    return Object.fromEntries(parts);
  }

  #several(name: string, schemas: readonly unknown[]): unknown[] {
    return schemas.map((schema) => this.#part(name, schema));
  }
}

/** Returns whether one of the alternatives of a schema is a named schema. Another may be null, for example. */
function isUnion(schema: Json): boolean {
  return ["anyOf", "oneOf"].some((keyword) => {
    const alternatives = schema[keyword];
    return Array.isArray(alternatives) && alternatives.some((one) => isObject(one) && "$ref" in one);
  });
}

/** Converts a union of words to an `enum`, because generators make one type of it instead of one per word. */
function asEnum({ anyOf, ...schema }: Json): Json {
  const words = Array.isArray(anyOf) ? anyOf.map((one: unknown) => (isObject(one) ? one["const"] : undefined)) : [];
  const isChoice = words.length > 0 && words.every((word) => typeof word === "string");
  if (isChoice) return { ...schema, type: "string", enum: words };
  return anyOf === undefined ? schema : { ...schema, anyOf };
}
