import { Kind, type TSchema } from "@sinclair/typebox";
import { DefaultErrorFunction, type ValueError } from "@sinclair/typebox/errors";
import { decimalKind, expectedDecimal } from "./decimal";
import { expectedText, textKind } from "./text";

/** Where a value is wrong, as a JSON pointer (RFC 6901), and what was expected there. */
export interface Mistake {
  readonly pointer: string;
  readonly detail: string;
}

/** A body of megabytes can be wrong in a million places; nobody mends more than these at a time. */
export const maxMistakes = 100;

/** A name that a client made up can be as long as the body. */
const maxNameLength = 100;

/** As a line: `/price: Expected number`. */
export function mistakeText({ pointer, detail }: Mistake): string {
  return pointer === "" ? detail : `${pointer}: ${detail}`;
}

/** A JSON pointer (RFC 6901) to what is reached by these names. A name longer than anybody's is cut. */
export function placeOf(...names: readonly (string | number)[]): string {
  return names.map((name) => `/${cut(String(name).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");
}

/** Every mistake with its place and what was expected there, but never the value that was sent. */
export function describeMistakes(mistakes: Iterable<ValueError>): Mistake[] {
  const byPlace = new Map<string, string>();
  // One for each place: a string that is too short breaks its pattern, too.
  for (const { pointer, detail } of placed(mistakes)) {
    if (!byPlace.has(pointer)) byPlace.set(pointer, detail);
    if (byPlace.size === maxMistakes) break;
  }
  return [...byPlace].map(([pointer, detail]) => ({ pointer: pointer.split("/").map(cut).join("/"), detail }));
}

function* placed(mistakes: Iterable<ValueError>): Generator<Mistake> {
  for (const { type, path, schema, value, errors } of mistakes) {
    const alternatives = errors.map((branch) => [...placed(branch)]);
    // The alternative that the value was meant to be is the one that has its mistake further inside.
    const meant = alternatives.find(([first]) => first && first.pointer.length > path.length);
    if (meant) yield* meant;
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

/** TypeBox describes its own kinds only, and by a function that any module of the process may replace. */
function expectedOf(schema: TSchema): string | undefined {
  if (schema[Kind] === textKind) return expectedText(schema);
  return schema[Kind] === decimalKind ? expectedDecimal(schema) : undefined;
}

function cut(name: string): string {
  if (name.length <= maxNameLength) return name.toWellFormed();
  return `${name.slice(0, maxNameLength).toWellFormed()}…`;
}
