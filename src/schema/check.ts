import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { describeMistakes, type Mistake, mistakeText } from "./mistakes";

const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

/** Returns the compiled check of a schema. Compiles each schema only once. */
export function checkOf<Schema extends TSchema>(schema: Schema): TypeCheck<Schema> {
  const known = checks.get(schema);
  if (known) return known as TypeCheck<Schema>;
  const check = TypeCompiler.Compile(schema);
  checks.set(schema, check);
  return check;
}

/**
 * Returns the mistakes in a value, each with its place. Returns an empty array for a valid value.
 *
 * @param place JSON pointer to put before the place of each mistake. Default: none.
 */
export function mistakesIn(schema: TSchema, value: unknown, place = ""): Mistake[] {
  const check = checkOf(schema);
  if (check.Check(value)) return [];
  const mistakes = describeMistakes(check.Errors(value));
  // TypeBox checks values and finds errors with separate code, which may disagree.
  if (mistakes.length === 0) return [{ pointer: place, detail: "Does not match its schema" }];
  return mistakes.map(({ pointer, detail }) => ({ pointer: place + pointer, detail }));
}

/** Same as {@link mistakesIn}, without compiling the schema, which is slower than to check one value. */
export function mistakesInOne(schema: TSchema, value: unknown): Mistake[] {
  return Value.Check(schema, value) ? [] : mistakesIn(schema, value);
}

/** Maximum number of mistakes listed in one line. The rest are only counted. */
const mostListed = 5;

/** Formats mistakes as one line: `/item/name: 1 to 200 characters, not blank.; /item/price: Expected number`. */
export function listMistakes(mistakes: readonly Mistake[]): string {
  const listed = mistakes.slice(0, mostListed).map(mistakeText);
  const more = mistakes.length - listed.length;
  return listed.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
