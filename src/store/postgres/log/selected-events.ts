import type { LogEntry, VisibleEvents } from "../../log";
import { plainText } from "../connection/plain-text";
import type { Value } from "../connection/queries";

/** Maximum number of events that one scan searches. */
export const maxRows = 10_000;
/** Maximum number of bytes of a character: two units of UTF-16 have at most four bytes. */
export const bytesOfCharacter = 3;

/** Columns of a {@link LogEntry} in the table of events. */
export const entryColumns = "position, id::text AS id, type, subject, timestamp, body, traceparent";

/** Condition on the types of events. */
export const wanted = "($2::text[] IS NULL OR type = ANY($2::text[]))";

/** Returns the first of these events, up to the one with which their bodies reach a length. */
export function within(found: readonly (LogEntry & { readonly last: number })[], maxLength: number): LogEntry[] {
  const entries: LogEntry[] = [];
  let length = 0;
  for (const { last: _, ...entry } of found) {
    if (length >= maxLength) break;
    entries.push(entry);
    length += entry.body.length;
  }
  return entries;
}

export function lengthOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { body }) => sum + body.length, 0);
}

/**
 * Returns the condition for a number of {@link VisibleEvents}.
 *
 * @param groups -1: all events are visible.
 * @param first number of the first parameter.
 */
export function conditionFor(groups: number, first: number): string {
  if (groups < 0) return "TRUE";
  const conditions = Array.from({ length: groups }, (_, group) => {
    const [types, owner, scope] = [0, 1, 2].map((offset) => `$${first + 3 * group + offset}`);
    return `(type = ANY(${types}::text[]) AND (${owner}::text IS NULL OR owner = ${owner}) AND (${scope}::text IS NULL OR scope = ${scope}))`;
  });
  return `(${conditions.join(" OR ") || "FALSE"})`;
}

export function valuesOf(visible: readonly VisibleEvents[] = []): Value[] {
  const plain = (text: string | undefined) => (text === undefined ? null : plainText(text));
  return visible.flatMap(({ types, owner, scope }) => [types, plain(owner), plain(scope)]);
}
