import { type Drafts, draftOf, type Fields, isSame } from "./drafts";
import type { Field } from "./fields";

/** A field that somebody else has changed while one edited the record. */
export interface Difference {
  readonly name: string;
  readonly was: unknown;
  readonly now: unknown;
  /** The value in the form, if it changes the same field. */
  readonly mine: string | undefined;
}

/** Fields that every change changes. */
const always = new Set(["version", "updatedAt"]);

/** Returns what differs between the record that one began to edit and what it is now. */
export function differencesOf(fields: readonly Field[], drafts: Drafts, before: Fields, now: Fields): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => !always.has(name) && !isSame(before[name], now[name]))
    .map((name) => {
      const field = fields.find((one) => one.name === name);
      const draft = drafts[name] ?? "";
      const isMine = field && draft !== draftOf(field, before[name]) && draft !== draftOf(field, now[name]);
      return { name, was: before[name], now: now[name], mine: isMine ? draft : undefined };
    });
}

/** Returns the form's texts on top of the newer record: its own where they change a field, else what the record has now. */
export function rebased(fields: readonly Field[], drafts: Drafts, before: Fields, now: Fields): Drafts {
  return Object.fromEntries(
    fields.map((field) => {
      const draft = drafts[field.name] ?? "";
      const isMine = draft !== draftOf(field, before[field.name]);
      return [field.name, isMine ? draft : draftOf(field, now[field.name])];
    }),
  );
}
