import { stepsOf, valueAt } from "../schema/path-values";
import type { Scalar } from "../schema/paths";
import type { Resource } from "../schema/resource";
import { type ComparedValue, compared, comparedFieldOf } from "./compared-values";
import type { Given } from "./list-conditions";

type Matches = (record: object) => boolean;

/** Returns a function that returns whether a record matches all conditions, for an engine that does not compare records itself. */
export function listMatcher(resource: Pick<Resource, "fields">, given: readonly Given[]): Matches {
  const matchers = given.map((one) => matcherOf(resource, one));
  return (record) => matchers.every((matches) => matches(record));
}

function matcherOf(resource: Pick<Resource, "fields">, { path, condition: { exact, min, max, prefix, contains } }: Given): Matches {
  if (contains) return containsAll(path, contains);
  const field = comparedFieldOf(resource, path);
  if (exact) {
    const values = new Set(exact.map(field.from));
    return (record) => values.has(field.of(record));
  }
  if (prefix !== undefined) {
    return (record) => {
      const value = field.of(record);
      return typeof value === "string" && value.startsWith(prefix);
    };
  }
  const [low, high] = [min, max].map((bound) => (bound === undefined ? undefined : field.from(bound)));
  // A bound that is not a time matches nothing.
  if (low === null || high === null) return () => false;
  return (record) => {
    const value = field.of(record);
    if (value === null) return false;
    return (low === undefined || compareValues(value, low) >= 0) && (high === undefined || compareValues(value, high) <= 0);
  };
}

function containsAll(path: string, contains: readonly Scalar[]): Matches {
  const steps = stepsOf(path);
  const wanted = contains.map(compared);
  return (record) => {
    const value = valueAt(record, steps);
    const elements = new Set(Array.isArray(value) ? (value as (Scalar | null)[]).map(compared) : []);
    return wanted.every((one) => elements.has(one));
  };
}

/** Compares two values as lists do: numbers are less than text, which is compared by code points. */
function compareValues(a: ComparedValue & {}, b: ComparedValue & {}): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  if (typeof a === "number") return a - (b as number);
  return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
}
