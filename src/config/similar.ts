/** Names that are shorter are too similar to others. */
const shortestName = 6;
/** Number of characters that a typo changes. */
const mostEdits = 2;

/** Returns the known name of which a name is probably a misspelling, or undefined if there is none. */
export function similarTo(name: string, known: readonly string[]): string | undefined {
  const near = known.filter((each) => each.length >= shortestName).map((each) => ({ each, edits: editsBetween(name, each) }));
  return near.filter(({ edits }) => edits <= mostEdits).sort((a, b) => a.edits - b.edits)[0]?.each;
}

/** Returns the number of characters to insert, delete or replace to make one text of the other (Levenshtein distance). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, character] of [...a].entries()) {
    const next = [index + 1];
    for (let at = 0; at < b.length; at += 1) {
      const replaced = (row[at] ?? 0) + (character === b[at] ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
