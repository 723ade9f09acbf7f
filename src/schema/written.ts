import type { TSchema } from "@sinclair/typebox";
import { mistakesIn } from "./check";
import { expectedExact, isText } from "./exact-json";
import { maxDepth, tooDeep } from "./json-depth";
import { type Mistake, maxMistakes, placeOf } from "./mistakes";

/** Returns the mistakes in a value to be written as JSON: parts that do not match its schema, or that JSON cannot represent exactly. */
export function mistakesInWritten(schema: TSchema, value: object): readonly Mistake[] {
  if (isExact(value)) return mistakesIn(schema, value);
  const mistakes = inexactParts(value).slice(0, maxMistakes);
  // Check what JSON will contain: it omits undefined properties, which a schema that accepts anything would count as present.
  return mistakes.length > 0 ? mistakes : mistakesIn(schema, JSON.parse(JSON.stringify(value)));
}

/** Returns whether JSON represents a value exactly and every JSON parser reads it exactly. */
function isExact(value: unknown, levels = maxDepth): boolean {
  if (typeof value === "string") return isText(value);
  if (typeof value !== "object" || value === null) return value === null || typeof value === "boolean" || isExactNumber(value);
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (const part of value) if (!isExact(part, levels - 1)) return false;
    return true;
  }
  if (!isPlain(value)) return false;
  for (const key of Object.keys(value)) if (!isText(key) || !isExact(value[key], levels - 1)) return false;
  return true;
}

/** Returns the inexact parts of a value. Undefined properties alone are not a mistake. */
function inexactParts(value: unknown, path: readonly (string | number)[] = []): Mistake[] {
  const refuse = (detail: string) => [{ pointer: placeOf(...path), detail }];
  if (path.length > maxDepth) return [{ pointer: "", detail: tooDeep(maxDepth) }];
  if (typeof value === "string") return isText(value) ? [] : refuse(expectedExact.text);
  if (typeof value === "number") return isExactNumber(value) ? [] : refuse(expectedExact.number);
  if (value === null || typeof value === "boolean") return [];
  // Unlike `map`, Array.from visits the holes of an array.
  if (Array.isArray(value)) return Array.from(value, (part: unknown, index) => inexactParts(part, [...path, index])).flat();
  if (typeof value !== "object" || !isPlain(value)) return refuse("Expected a JSON value");
  return Object.entries(value).flatMap(([key, part]) => {
    const at = [...path, key];
    if (!isText(key)) return [{ pointer: placeOf(...at), detail: expectedExact.name }];
    return part === undefined ? [] : inexactParts(part, at);
  });
}

function isExactNumber(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
