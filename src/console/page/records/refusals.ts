import { Refused } from "../api";

/** Returns whether a change was refused because the record is no longer in the state that one has seen. */
export function lostRace(error: unknown): boolean {
  return error instanceof Refused && error.problem.status === 412;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Refused && error.problem.status === 404;
}

/** The mistakes in a form: in each field, and in the whole. */
export interface FormMistakes {
  readonly byField: ReadonlyMap<string, string>;
  readonly whole: string | undefined;
}

/** Returns the mistakes that a refusal names, beside the fields that they are about. */
export function mistakesOf(error: Error | undefined, fields: readonly { readonly name: string }[]): FormMistakes {
  const byField = new Map<string, string>();
  if (!(error instanceof Refused)) return { byField, whole: error?.message };
  const names = new Set(fields.map(({ name }) => name));
  const others: string[] = [];
  for (const { pointer, detail } of error.problem.errors ?? []) {
    const [, first = "", ...rest] = pointer.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const text = rest.length > 0 ? `${rest.join("/")}: ${detail}` : detail;
    if (names.has(first)) byField.set(first, [byField.get(first), text].filter(Boolean).join(" "));
    else others.push(`${pointer}: ${detail}`);
  }
  if (byField.size === 0) return { byField, whole: error.message };
  return { byField, whole: others.length > 0 ? others.join(" ") : undefined };
}
