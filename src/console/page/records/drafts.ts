import type { Field } from "./fields";

/** The text of each field of a form. */
export type Drafts = Readonly<Record<string, string>>;
/** The fields of a record. */
export type Fields = Readonly<Record<string, unknown>>;

/** Returns the text with which the editing of a value begins. A missing value and null are empty. */
export function draftOf({ kind }: Field, value: unknown): string {
  if (value === undefined || value === null) return "";
  return kind === "json" ? JSON.stringify(value, null, 2) : String(value);
}

export function draftsOf(fields: readonly Field[], record: Fields): Drafts {
  return Object.fromEntries(fields.map((field) => [field.name, draftOf(field, record[field.name])]));
}

/** The texts of a form for a new record. */
export function newDrafts(fields: readonly Field[]): Drafts {
  return Object.fromEntries(fields.map((field) => [field.name, draftOf(field, field.initial)]));
}

/**
 * Returns the fields that a form asks for. What is no number stays text, so that the API says what it expects.
 *
 * @param before the record that is edited. What was not changed is then exactly as it was. Undefined for a new record.
 * @throws {SyntaxError} for text that must be JSON and is not.
 */
export function fieldsIn(fields: readonly Field[], drafts: Drafts, before?: Fields): Fields {
  const entries = fields.flatMap((field): [string, unknown][] => {
    const draft = drafts[field.name] ?? "";
    const value = before && draft === draftOf(field, before[field.name]) ? before[field.name] : valueIn(field, draft);
    return value === undefined ? [] : [[field.name, value]];
  });
  return Object.fromEntries(entries);
}

/** Returns a JSON merge patch (RFC 7396) that makes one object of another. */
export function patchOf(before: Fields, after: Fields): Fields {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !isSame(before[name], after[name]));
  return Object.fromEntries(
    names.map((name): [string, unknown] => {
      const [from, to] = [before[name], after[name]];
      return [name, isObject(from) && isObject(to) ? patchOf(from, to) : (to ?? null)];
    }),
  );
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function valueIn({ name, kind, isNullable, isRequired, words }: Field, draft: string): unknown {
  if (draft === "") return isNullable ? null : isRequired && (kind === "text" || kind === "long") ? "" : undefined;
  if (kind === "choice") return words.find((word) => String(word) === draft) ?? draft;
  if (kind === "number") return Number.isFinite(Number(draft)) && draft.trim() !== "" ? Number(draft) : draft;
  if (kind !== "json") return draft;
  try {
    return JSON.parse(draft);
  } catch (error) {
    throw new SyntaxError(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
