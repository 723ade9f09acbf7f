import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";
import { type FormatCheck, formats } from "./formats";

/** TypeBox kind of these schemas. Its registry is shared by the whole process, so the name must be unique. */
export const textKind = "warren.Text";

interface Limits extends TSchema {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/**
 * Returns a schema of strings that is checked per JSON Schema 2020-12. Lengths count Unicode code points (TypeBox counts UTF-16
 * units), patterns have the flag `u`, and formats do not depend on the modules that a process has loaded. Returns the given
 * schema if it has no limits.
 *
 * @throws {TypeError} if the format is unknown or the pattern is not a regular expression.
 */
export function asText(schema: Limits): TSchema {
  const { minLength, maxLength, pattern, format } = schema;
  if ([minLength, maxLength, pattern, format].every((limit) => limit === undefined)) return schema;
  const text = { ...schema, [Kind]: textKind };
  checks.set(text, compile(schema));
  return text;
}

/** Returns the error message for a value that does not match such a schema. */
export function expectedText({ minLength, maxLength, pattern, format }: Limits): string {
  const lengths = [minLength !== undefined && `at least ${minLength}`, maxLength !== undefined && `at most ${maxLength}`].filter(Boolean);
  const length = lengths.length > 0 ? ` of ${lengths.join(" and ")} characters` : "";
  const form = pattern === undefined ? format && ` in the format ${format}` : ` that matches ${pattern}`;
  return `Expected string${length}${form ?? ""}`;
}

type Check = (text: string) => boolean;

/** Compiled checks by schema. Elysia copies schemas, so a copy may have to be compiled again. */
const checks = new WeakMap<Limits, Check>();

TypeRegistry.Set<Limits>(textKind, (schema, value) => {
  if (typeof value !== "string") return false;
  let check = checks.get(schema);
  if (!check) {
    check = compile(schema);
    checks.set(schema, check);
  }
  return check(value);
});

function compile({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format }: Limits): Check {
  const expression = pattern === undefined ? undefined : expressionOf(pattern);
  const hasFormat = format === undefined ? undefined : formatOf(format);
  return (text) => {
    // A code point is one or two UTF-16 units, so most strings need no count of code points.
    if (text.length > maxLength || text.length < 2 * minLength) {
      const length = codePoints(text);
      if (length > maxLength || length < minLength) return false;
    }
    return (expression === undefined || expression.test(text)) && (hasFormat === undefined || hasFormat(text));
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function expressionOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(
      `has the pattern ${pattern}, which is not a valid regular expression with the flag u, as JSON Schema requires: ${why}`,
    );
  }
}

function formatOf(format: string): FormatCheck {
  const known = formats.get(format);
  if (known) return known;
  throw new TypeError(`has the unknown format "${format}". Known: ${[...formats.keys()].join(", ")}`);
}
