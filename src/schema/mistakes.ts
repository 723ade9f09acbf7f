import { Kind, type TSchema } from "@sinclair/typebox";
import { DefaultErrorFunction, type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { decimalKind, expectedDecimal } from "./decimal";
import { expectedText, textKind } from "./text";

/** A mistake in a value. */
export interface Mistake {
  /** Place of the mistake, as a JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** Description of the value that was expected there. */
  readonly detail: string;
}

/**
 * Returns a mistake, for the `check` of a resource.
 *
 * @param pointer place of the mistake in the record, as a JSON pointer (RFC 6901): `/dueAt`, `/lines/0/quantity`, or `""` for the
 *   whole record.
 * @param detail what is wrong, for the client.
 * @example
 * mistake("/dueAt", "Must be after createdAt.")
 */
export function mistake(pointer: string, detail: string): Mistake {
  return { pointer, detail };
}

/** Maximum number of mistakes to report, since a large body can have very many. */
export const maxMistakes = 100;

/** Maximum length of a name in a place. A property name in a request can be as long as its body. */
const maxNameLength = 100;

/** Formats a mistake as one line: `/price: Expected number`. */
export function mistakeText({ pointer, detail }: Mistake): string {
  return pointer === "" ? detail : `${pointer}: ${detail}`;
}

/** Returns the JSON pointer (RFC 6901) for a path of names and indexes. Truncates very long names. */
export function placeOf(...names: readonly (string | number)[]): string {
  return names.map((name) => `/${cut(pointerPart(name))}`).join("");
}

/** Returns a name or index as it is written in a JSON pointer (RFC 6901). */
export function pointerPart(name: string | number): string {
  return String(name).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Converts errors of TypeBox to mistakes, at most one per place. They never contain the value that was sent. */
export function describeMistakes(mistakes: Iterable<ValueError>): Mistake[] {
  const byPlace = new Map<string, string>();
  // Keep the first mistake per place: a string that is too short may also fail its pattern.
  for (const { pointer, detail } of placed(mistakes)) {
    if (!byPlace.has(pointer)) byPlace.set(pointer, detail);
    if (byPlace.size === maxMistakes) break;
  }
  return [...byPlace].map(([pointer, detail]) => ({ pointer: pointer.split("/").map(cut).join("/"), detail }));
}

/** Key in a schema of an object: why the object may not have a property, by the name of the property. */
export const whyRefused = Symbol("why refused");

function* placed(mistakes: Iterable<ValueError>): Generator<Mistake> {
  for (const { type, path, schema, value, errors } of mistakes) {
    const alternatives = errors.map((branch) => [...placed(branch)]);
    // An alternative whose first mistake is further inside is probably the one that was meant.
    const meant = alternatives.find(([first]) => first && first.pointer.length > path.length);
    if (meant) yield* meant;
    else if (type === ValueErrorType.ObjectAdditionalProperties && reasonAt(schema, path))
      yield { pointer: path, detail: reasonAt(schema, path) };
    else if (typeof schema.description === "string") yield { pointer: path, detail: schema.description };
    else {
      const expected = alternatives.flatMap(([first]) => first?.detail ?? []).join("; or ");
      yield {
        pointer: path,
        detail: expected || (expectedOf(schema) ?? DefaultErrorFunction({ errorType: type, path, schema, value, errors })),
      };
    }
  }
}

/** Returns why an object may not have the property at a path. Returns an empty string if its schema does not say. */
function reasonAt(schema: TSchema & { [whyRefused]?: Readonly<Record<string, string>> }, path: string): string {
  const reasons = schema[whyRefused] ?? {};
  const name = path.slice(path.lastIndexOf("/") + 1);
  return Object.hasOwn(reasons, name) ? (reasons[name] ?? "") : "";
}

/**
 * Returns the error message for Warren's own kinds, or undefined for others. TypeBox describes only its own kinds. Its function
 * for custom messages is not used, because any module of the process may replace it.
 */
function expectedOf(schema: TSchema): string | undefined {
  if (schema[Kind] === textKind) return expectedText(schema);
  return schema[Kind] === decimalKind ? expectedDecimal(schema) : undefined;
}

function cut(name: string): string {
  if (name.length <= maxNameLength) return name.toWellFormed();
  return `${name.slice(0, maxNameLength).toWellFormed()}…`;
}
