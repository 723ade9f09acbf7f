import type { Reference } from "../schema/references";
import type { Resource } from "../schema/resource";
import type { UniqueKey } from "../schema/unique";

/** Called during a long start, in which declarations are checked with existing records, with the number of records read so far. */
export type OnBuilt = (title: string, records: number) => void;

/** Maximum number of records to name per declaration. */
export const mostNamed = 5;

/** Describes a declaration in messages. */
export function uniqueTitle(resource: string, { paths }: Pick<UniqueKey, "paths">): string {
  return `The unique key "${paths.join(", ")}" of "${resource}"`;
}

export function referenceTitle(resource: string, path: string): string {
  return `The reference "${path}" of "${resource}"`;
}

export function equalRecords({ name }: Pick<Resource, "name">, one: number | undefined, other: number): string {
  return `${name} ${one} and ${name} ${other} are equal`;
}

export function missingTarget({ name }: Pick<Resource, "name">, id: number, { to }: Pick<Reference, "to">, target: number): string {
  return `${name} ${id}: there is no ${to} ${target}`;
}

/** Advice about records that a unique key does not hold for. */
export const uniqueRemedy =
  "Start the service without this unique key, change or delete these records, and declare it again. " +
  "Texts that differ only in the form of their Unicode characters are equal.";

/** Advice about records that a reference does not hold for. */
export const referenceRemedy =
  "Start the service without this reference, create the missing records or change or delete the ones named, and declare it again.";

/** Returns the lines of a message that a declaration does not hold for stored records, of which up to {@link mostNamed} are named. */
export function brokenDeclaration(title: string, refused: readonly string[], remedy: string): string[] {
  const more = refused.length === mostNamed ? ["  and possibly more"] : [];
  return [`${title} does not hold for stored records:`, ...refused.map((each) => `  ${each}`), ...more, remedy];
}
