// What is long for the fast tests and is done in full in the deep suite, which runs these files again (deep/in-full.deep.ts).
import { describe, test } from "bun:test";

/** Factor of the number of runs of a property: the deep suite makes more of them. Default: 1. */
export const propertyFactor = Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** True in the deep suite, which has every test, and in which each property has all of its runs on PostgreSQL, too. */
export const isInFull = propertyFactor > 1;

/** Same as `test`, in the deep suite only. */
export const testInFull = isInFull ? test : nothing(test);

/** Same as `describe`, in the deep suite only. */
export const describeInFull = isInFull ? describe : nothing(describe);

/** Returns the parameters of a property that runs `few` times in the fast tests. */
export function runs(few: number): { readonly numRuns: number } {
  return { numRuns: few * propertyFactor };
}

/** Returns how often to do something that takes long: `count` times in the deep suite, and a tenth of that in the fast tests. */
export function fewer(count: number): number {
  return Math.ceil((count * propertyFactor) / 10);
}

/** Returns a function that declares nothing. Not even a skipped test, of which there is none where all is installed. */
function nothing<Declare extends object>(declare: Declare): Declare {
  const ignore = () => {};
  return new Proxy(declare, { apply: ignore, get: (_, name) => (name === "each" ? () => ignore : ignore) });
}
