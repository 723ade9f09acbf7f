import { titleOf } from "../schema/documented";
import { isObject, type Json, mapValues } from "./rebuild";

export interface Reference {
  readonly $ref: string;
}

/**
 * The schemas of an AsyncAPI document, each under a name. Generators make one type of each; a schema without a name would
 * become another type, `AnonymousSchema_12`, wherever it stands.
 */
export class NamedSchemas {
  readonly schemas: Record<string, Json> = {};
  readonly #reserved: ReadonlySet<string>;

  /** @param reserved names that only {@link add} may give, and not a part of another schema. */
  constructor(reserved: Iterable<string>) {
    this.#reserved = new Set(reserved);
  }

  /** Adds a schema, and returns a reference to it. Objects and enums within it get names that begin with its own. */
  add(name: string, schema: Json): Reference {
    return this.#place(name, this.#parts(name, schema), () => true);
  }

  #place(name: string, schema: Json, isFree: (name: string) => boolean): Reference {
    const fits = (candidate: string) =>
      isFree(candidate) && (!(candidate in this.schemas) || Bun.deepEquals(this.schemas[candidate], schema));
    let unique = name;
    for (let count = 2; !fits(unique); count += 1) unique = `${name}${count}`;
    this.schemas[unique] = schema;
    return { $ref: `#/components/schemas/${unique}` };
  }

  /** A schema within another. */
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

/** Whether it may be a schema that has a name or something else, such as null. */
function isUnion(schema: Json): boolean {
  return ["anyOf", "oneOf"].some((keyword) => {
    const alternatives = schema[keyword];
    return Array.isArray(alternatives) && alternatives.some((one) => isObject(one) && "$ref" in one);
  });
}

/** A choice of words as `enum`: generators make one type of it, and not one of each word. */
function asEnum({ anyOf, ...schema }: Json): Json {
  const words = Array.isArray(anyOf) ? anyOf.map((one: unknown) => (isObject(one) ? one["const"] : undefined)) : [];
  const isChoice = words.length > 0 && words.every((word) => typeof word === "string");
  if (isChoice) return { ...schema, type: "string", enum: words };
  return anyOf === undefined ? schema : { ...schema, anyOf };
}
