/** Deeper JSON is no record of anybody's. */
export const maxDepth = 64;

/** A newer publisher may nest deeper what this program does not know, and keeps. */
export const maxEventDepth = 1024;

/** Says that {@link isDeeperThan}. */
export const tooDeep = (levels: number) => `It is nested too deeply; ${levels} levels are read.`;

const quote = 0x22;
const backslash = 0x5c;
const [openArray, closeArray] = [0x5b, 0x5d];
const [openObject, closeObject] = [0x7b, 0x7d];

/**
 * Whether a JSON text has more levels than these. To be asked before JSON.parse, which takes a second for millions of them,
 * as does whatever walks through its result or overflows the stack in it. This reads each character once, and none behind
 * the first that is too deep. The text need not be valid.
 */
export function isDeeperThan(levels: number, text: string): boolean {
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

/** The place of the quote that ends the string which begins here; -1 if none does. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return -1;
}
