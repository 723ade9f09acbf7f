/** Maximum depth of the JSON in a request. No real record is deeper. */
export const maxDepth = 64;

/** Maximum depth of an event. It is higher because a newer publisher may add deeper properties, which this program keeps. */
export const maxEventDepth = 1024;

/** Returns the error message for JSON that {@link isDeeperThan} rejects. */
export const tooDeep = (levels: number) => `The JSON is nested too deeply; the maximum is ${levels} levels.`;

const quote = 0x22;
const backslash = 0x5c;
const [openArray, closeArray] = [0x5b, 0x5d];
const [openObject, closeObject] = [0x7b, 0x7d];

/**
 * Returns whether a JSON text has more than `levels` levels. The text need not be valid JSON.
 *
 * Call it before JSON.parse, which is slow for very deep JSON. Code that walks through the result is slow, too, or overflows the
 * stack. This function reads each character once, and stops at the first level that is too deep.
 */
export function isDeeperThan(levels: number, text: string): boolean {
  // Each level takes a character. Most events are shorter.
  if (text.length <= levels) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if (code === openArray || code === openObject) {
      depth += 1;
      if (depth > levels) return true;
    } else if (code === closeArray || code === closeObject) depth -= 1;
  }
  return false;
}

/** Returns the index of the quote that ends the string starting at `start`, or -1 if there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return -1;
}
