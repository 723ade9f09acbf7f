import { FormatRegistry, Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

const kind = "Text";

interface Limits {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/**
 * The schema with each string's length counted in Unicode code points, as JSON Schema has it (2020-12, section 6.3), at
 * every depth. TypeBox counts the units of UTF-16, of which an emoji has two. The schema itself is not changed.
 */
export function countingCodePoints<T extends TSchema>(schema: T): T {
  const copy: TSchema = { ...schema };
  for (const keyword of ["properties", "patternProperties"]) {
    const inner = schema[keyword] as Record<string, TSchema> | undefined;
    if (inner) copy[keyword] = Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, countingCodePoints(one)]));
  }
  for (const keyword of ["items", "anyOf", "allOf", "not", "additionalProperties"]) {
    const inner: unknown = schema[keyword];
    if (Array.isArray(inner)) copy[keyword] = inner.map(countingCodePoints);
    else if (typeof inner === "object" && inner !== null) copy[keyword] = countingCodePoints(inner as TSchema);
  }
  if (schema[Kind] === "String" && (schema["minLength"] !== undefined || schema["maxLength"] !== undefined)) copy[Kind] = kind;
  return copy as T;
}

/** What a string that counts code points has to be; undefined for any other schema. */
export function expectedText(schema: TSchema): string | undefined {
  if (schema[Kind] !== kind) return undefined;
  const { minLength, maxLength, pattern, format } = schema as Limits;
  const lengths = [minLength !== undefined && `at least ${minLength}`, maxLength !== undefined && `at most ${maxLength}`].filter(Boolean);
  const form = pattern === undefined ? format && ` in the format ${format}` : ` that matches ${pattern}`;
  return `Expected string of ${lengths.join(" and ")} characters${form ?? ""}`;
}

TypeRegistry.Set<Limits>(kind, (schema, value) => {
  if (typeof value !== "string") return false;
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = schema;
  // A code point is one unit or two: most texts need not be counted.
  if (value.length > maxLength || value.length < 2 * minLength) {
    const length = codePoints(value);
    if (length > maxLength || length < minLength) return false;
  }
  return (
    (pattern === undefined || expression(pattern).test(value)) && (format === undefined || FormatRegistry.Get(format)?.(value) === true)
  );
});

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

const expressions = new Map<string, RegExp>();
/** As TypeBox compiles a pattern: without flags. */
function expression(pattern: string): RegExp {
  const known = expressions.get(pattern);
  if (known) return known;
  const compiled = new RegExp(pattern);
  expressions.set(pattern, compiled);
  return compiled;
}
