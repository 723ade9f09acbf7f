import { placeOf } from "../schema/mistakes";
import { stepsOf, valueAt } from "../schema/path-values";
import { Conflict } from "../schema/refused-change";
import type { Resource } from "../schema/resource";
import type { UniqueKey } from "../schema/unique";

/** Version of the rules by which values are compared. Increase it when they change, so that every engine compares all records again. */
export const comparisonVersion = 2;

/** Length of a hash in characters: 132 bits. */
const length = 22;

/**
 * Returns a function that returns a hash of a record's value in a unique key: two records conflict if their hashes are equal. A hash
 * takes little space, and shows nothing of the value. It returns null for a record that has no value in one of the fields and so conflicts with no other.
 */
export function uniqueValueOf({ paths, within, ignoreCase }: UniqueKey): (record: object) => string | null {
  const [limits, fields] = [within.map(stepsOf), paths.map(stepsOf)];
  return (record) => {
    const values: unknown[] = limits.map((steps) => valueAt(record, steps));
    for (const steps of fields) {
      const value = valueAt(record, steps);
      if (value === null) return null;
      values.push(typeof value === "string" ? comparable(value, ignoreCase) : value);
    }
    return new Bun.CryptoHasher("sha256").update(JSON.stringify(values)).digest("base64url").slice(0, length);
  };
}

/**
 * Returns the form of a text in which it is compared. Unicode has several forms of the same characters. Without case, one conversion
 * is not enough: lower case keeps "ß" apart from "SS", upper case "İ" from "i̇", and upper case before lower case "ẞ" from "ß".
 */
function comparable(text: string, ignoreCase: boolean): string {
  return ignoreCase ? text.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC") : text.normalize("NFC");
}

/** Returns the error for a record whose value in a unique key another record has. It says nothing else about the other record. */
export function notUnique({ name }: Resource, { paths }: UniqueKey): Conflict {
  const fields = paths.length === 1 ? paths.join() : `${paths.slice(0, -1).join(", ")} and ${paths.at(-1)}`;
  const detail = paths.length === 1 ? "Must be unique." : `Must be unique together: ${fields}.`;
  return new Conflict(
    `Another ${name} has the same ${fields}.`,
    paths.map((path) => ({ pointer: placeOf(...path.split(".")), detail })),
  );
}
