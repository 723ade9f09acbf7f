import type { Listing, Prefix, Range } from "../listing";

/** Lowest and highest value of an indexed field. The lowest is included; the highest is for numbers, and not for texts. */
export type Bounds = readonly [from: string | number, to: string | number | Uint8Array];

/** Upper bound for all texts: in SQLite, every blob is greater than every text. */
const afterAllText = new Uint8Array();

/** Returns the bounds of each field that a list is limited by. */
export function boundsOf({ filters = {}, updatedSince }: Listing): Map<string, Bounds> {
  const bounds = new Map(
    Object.entries(filters).map(([field, filter]) => [field, "prefix" in filter ? textsOf(filter) : numbersOf(filter)]),
  );
  if (updatedSince !== undefined) bounds.set("updatedAt", [updatedSince, afterAllText]);
  return bounds;
}

function numbersOf({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Range): Bounds {
  return [min, max];
}

/** Returns the range of texts with a prefix: from the prefix up to the next text without it. SQLite compares code points. */
function textsOf({ prefix }: Prefix): Bounds {
  const points = Array.from(prefix, (point) => point.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return [prefix, afterAllText];
  // Skip the surrogates, which are not characters.
  return [prefix, String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)];
}
