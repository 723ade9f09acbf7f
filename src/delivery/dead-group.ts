/** Number of characters of an error that are compared. */
const compared = 300;

/**
 * Returns the key of a dead letter's group. Errors are the same if their reason and their first line are, apart from numbers, ids and
 * text in quotes.
 */
export function groupOf({ reason, error }: { readonly reason: string; readonly error: string }): string {
  const form = firstLineOf(error)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "“”")
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{12,}\b/gi, "#")
    .replace(/\d+(\.\d+)?/g, "0");
  return Bun.hash(`${reason}\n${form}`).toString(36);
}

/** Returns the first line of an error. */
export function firstLineOf(error: string): string {
  return error.slice(0, compared).split("\n", 1)[0] ?? "";
}
