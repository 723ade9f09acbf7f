// JSON Schema 2020-12, per OpenAPI 3.1: validates values, and generates valid ones.
import { Ajv2020 } from "ajv/dist/2020";
import fc from "fast-check";

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  /** Schema of each line, if the text is NDJSON. */
  readonly contentSchema?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

export type Check = (value: unknown) => string | undefined;

// In strict mode, an unknown keyword, format or type is an error in the document.
const ajv = new Ajv2020({
  strict: true,
  strictRequired: false,
  allErrors: false,
  formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/ },
});
const checks = new WeakMap<object, Check>();

/** Returns a function that describes what is wrong with a value, or returns undefined for a valid one. */
export function checkOf(schema: JsonSchema): Check {
  let check = checks.get(schema);
  if (!check) {
    const validate = ajv.compile(schema);
    check = (value) => (validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: "" }).slice(0, 300));
    checks.set(schema, check);
  }
  return check;
}

/** Returns a document with each `$ref` replaced by its target. */
export function resolved<T>(value: T, root: unknown, within: readonly string[] = []): T {
  if (Array.isArray(value)) return value.map((one: unknown) => resolved(one, root, within)) as T;
  if (typeof value !== "object" || value === null) return value;
  const reference = (value as { $ref?: unknown }).$ref;
  if (typeof reference !== "string") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one as unknown, root, within)])) as T;
  }
  if (within.includes(reference)) throw new Error(`${reference} contains itself.`);
  const found = reference
    .slice(2)
    .split("/")
    .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], root);
  return resolved(found, root, [...within, reference]) as T;
}

/** Generates values that a schema accepts. */
export function arbitraryOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const check = checkOf(schema);
  return build(schema).filter((value) => check(value) === undefined);
}

/** Maximum length of generated texts, and of generated lists with `most`, if the schema allows more. */
const longest = 40;
const most = 4;

function build(schema: JsonSchema): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return fc.oneof(...alternatives.map(build));
  if (schema.allOf) return fc.tuple(...schema.allOf.map(build)).map((parts) => Object.assign({}, ...parts) as unknown);
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => build({ ...schema, type })));
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
      return fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: least(schema), max: Math.min(greatest(schema), least(schema) + 50) }) },
        { weight: 1, arbitrary: fc.maxSafeInteger().filter((n) => n >= least(schema) && n <= greatest(schema)) },
        { weight: 1, arbitrary: fc.constantFrom(least(schema), greatest(schema)) },
      );
    case "number":
      // JSON has no -0.
      return fc.oneof(
        fc.integer({ min: Math.ceil(least(schema)), max: Math.floor(Math.min(greatest(schema), least(schema) + 1000)) }),
        fc.double({ min: least(schema), max: greatest(schema), noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      );
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(build(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? most, Math.max(most, schema.minItems ?? 0)),
      });
    case "object":
      return record(schema);
    default:
      return fc.jsonValue();
  }
}

function record({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, one]) => [name, build(one)] as const);
  const needed = Object.fromEntries(members.filter(([name]) => required.includes(name)));
  return fc.oneof(fc.record(needed), fc.record(Object.fromEntries(members), { requiredKeys: Object.keys(needed) }));
}

function text({ minLength = 0, maxLength = longest, pattern, format, contentSchema }: JsonSchema): fc.Arbitrary<string> {
  if (contentSchema) {
    return fc.array(build(contentSchema), { maxLength: most }).map((lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  if (format === "date-time")
    return fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern?.startsWith("^")) return fc.stringMatching(new RegExp(pattern, "u"));
  const lengths = { minLength, maxLength: Math.min(maxLength, Math.max(longest, minLength)) };
  const characters = fc.oneof(
    fc.string({ unit: "grapheme-ascii", ...lengths }),
    fc.array(fc.integer({ min: 1, max: 0x10ffff }).filter(isCharacter), lengths).map((points) =>
      String.fromCodePoint(...points)
        .slice(0, maxLength)
        .toWellFormed(),
    ),
    // Longest allowed text. Lengths count UTF-16 units as in JavaScript; JSON Schema would allow twice as many of these characters.
    fc.constant("x".repeat(maxLength)),
    fc.constant("\u{1f407}".repeat(maxLength / 2)),
  );
  return pattern ? characters.filter((one) => new RegExp(pattern, "u").test(one)) : characters;
}

/** Returns whether a code point is a character and not half of a surrogate pair. */
function isCharacter(point: number): boolean {
  return point < 0xd800 || point > 0xdfff;
}

function least({ minimum, exclusiveMinimum }: JsonSchema): number {
  return minimum ?? (exclusiveMinimum === undefined ? -1000 : exclusiveMinimum + 1);
}

function greatest({ maximum, exclusiveMaximum }: JsonSchema): number {
  return maximum ?? (exclusiveMaximum === undefined ? Number.MAX_SAFE_INTEGER : exclusiveMaximum - 1);
}
