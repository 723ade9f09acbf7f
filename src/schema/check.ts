import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { describeMistakes, type Mistake, mistakeText } from "./mistakes";

const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

/** The compiled check of a schema, made once. */
export function checkOf(schema: TSchema): TypeCheck<TSchema> {
  const known = checks.get(schema);
  if (known) return known;
  const check = TypeCompiler.Compile(schema);
  checks.set(schema, check);
  return check;
}

/**
 * Every mistake in a value, with its place; none for a valid one.
 *
 * @param place of the value, as a JSON pointer, in what a person is told about.
 */
export function mistakesIn(schema: TSchema, value: unknown, place = ""): Mistake[] {
  const check = checkOf(schema);
  if (check.Check(value)) return [];
  const mistakes = describeMistakes(check.Errors(value));
  // Compiled checks and the search for errors are different code of TypeBox.
  if (mistakes.length === 0) return [{ pointer: place, detail: "Does not match its schema" }];
  return mistakes.map(({ pointer, detail }) => ({ pointer: place + pointer, detail }));
}

/** In one line of text; the rest are counted. */
const mostListed = 5;

/** Mistakes as one line: `/item/name: 1 to 200 characters, not blank.; /item/price: Expected number`. */
export function listMistakes(mistakes: readonly Mistake[]): string {
  const listed = mistakes.slice(0, mostListed).map(mistakeText);
  const more = mistakes.length - listed.length;
  return listed.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
