import { type TUnsafe, Type } from "@sinclair/typebox";

/**
 * Returns a schema for one of several words. Mistakes and documentation list them.
 *
 * @example
 * const state = oneOf("open", "closed");
 */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words): TUnsafe<Words[number]> {
  const literals = words.map((word) => Type.Literal(word));
  return Type.Unsafe<Words[number]>(Type.Union(literals, { description: `One of: ${words.join(", ")}.` }));
}
