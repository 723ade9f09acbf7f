/** A JSON Schema, as the catalogue has it. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * How a field is shown and edited: a line of text, several lines, a number, one of some values, or JSON for what is none of these.
 */
export type FieldKind = "text" | "long" | "number" | "choice" | "json";

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isNullable: boolean;
  /** True if every record has it. */
  readonly isRequired: boolean;
  /** The possible values of a choice. */
  readonly words: readonly unknown[];
  /** Format of the text, such as `date`. */
  readonly format: string | undefined;
  readonly description: string | undefined;
  /** The value that it has if none is given. */
  readonly initial: unknown;
}

/** Text that may be longer than this gets several lines. */
const longestLine = 200;

/** Returns the fields of an object, in the order of its schema. */
export function fieldsOf(schema: Schema): Field[] {
  const required = new Set(schema["required"] as string[] | undefined);
  return Object.entries(propertiesOf(schema)).map(([name, one]) => fieldOf(name, [one], !required.has(name)));
}

/** Returns the field at a path such as `address.city`, or undefined if the schema has none. */
export function fieldAt(schema: Schema, path: string): Field | undefined {
  let objects = [schema];
  let found: Schema[] = [];
  let isOptional = false;
  for (const name of path.split(".")) {
    found = objects.map((one) => propertiesOf(one)[name]).filter((one) => one !== undefined);
    isOptional ||= found.length < objects.length || objects.some((one) => !(one["required"] as string[] | undefined)?.includes(name));
    objects = found.flatMap(alternatives).filter((one) => !isNull(one));
  }
  return found.length > 0 ? fieldOf(path, found, isOptional) : undefined;
}

/** Returns the schema of the elements, if it is one of an array. Else the schema. */
export function elementsOf(schema: Schema): Schema {
  const [array] = alternatives(schema).filter(({ type }) => type === "array");
  return (array?.["items"] as Schema | undefined) ?? schema;
}

function fieldOf(name: string, schemas: readonly Schema[], isOptional: boolean): Field {
  const all = schemas.flatMap(alternatives);
  const some = all.filter((one) => !isNull(one));
  const words = wordsOf(some);
  return {
    ...{ name, words, kind: words.length > 0 ? "choice" : kindOf(some), isNullable: some.length < all.length, isRequired: !isOptional },
    format: some[0]?.["format"] as string | undefined,
    description: (schemas[0]?.["description"] ?? some[0]?.["description"]) as string | undefined,
    initial: schemas[0]?.["default"],
  };
}

function kindOf(schemas: readonly Schema[]): FieldKind {
  const areAll = (...types: string[]) => schemas.length > 0 && schemas.every(({ type }) => types.includes(type as string));
  if (areAll("number", "integer")) return "number";
  if (!areAll("string")) return "json";
  const isShort = schemas.every(
    ({ format, maxLength }) => format !== undefined || ((maxLength as number | undefined) ?? 1e9) <= longestLine,
  );
  return isShort ? "text" : "long";
}

function wordsOf(schemas: readonly Schema[]): readonly unknown[] {
  if (schemas.length === 0) return [];
  const each = schemas.map((one) =>
    "const" in one ? [one["const"]] : one["type"] === "boolean" ? [true, false] : (one["enum"] as unknown[]),
  );
  return each.every(Array.isArray) ? each.flat() : [];
}

/** Returns the schemas of an object's properties. */
export function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> {
  return (schema["properties"] as Record<string, Schema> | undefined) ?? {};
}

function alternatives(schema: Schema): Schema[] {
  const any = schema["anyOf"] as Schema[] | undefined;
  return any ? any.flatMap(alternatives) : [schema];
}

function isNull({ type }: Schema): boolean {
  return type === "null";
}
