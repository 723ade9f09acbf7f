const space = /\s/;
const trailing = /[.,;:)\]]*$/;

/** Replaces user, password and query of a URL with `***`. Accepts text that is not a valid URL or contains several URLs. */
export function redactUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1***@").replace(/\?.+$/s, "?***");
}

/**
 * Replaces user, password and query of each URL in a text, which may be JSON, with `***`. Scans the text once instead of using
 * a regular expression, which on a long text could reach the engine's limit and match nothing.
 */
export function redactUrls(text: string): string {
  let shown = "";
  let done = 0;
  for (let mark = text.indexOf("://"); mark !== -1; mark = text.indexOf("://", Math.max(done, mark + 3))) {
    if (!/[a-z0-9]/i.test(text.charAt(mark - 1))) continue;
    const start = mark + 3;
    const end = endOfUrl(text, start);
    const url = text.slice(start, end);
    shown += text.slice(done, start) + hidden(url);
    done = end;
  }
  return done === 0 ? text : shown + text.slice(done);
}

function hidden(url: string): string {
  const at = url.lastIndexOf("@");
  const place = url.slice(Math.max(at, 0));
  const query = place.indexOf("?");
  const shown = query === -1 ? place : `${place.slice(0, query)}?***${trailing.exec(place)?.[0]}`;
  return at === -1 ? shown : `***${shown}`;
}

/** Returns the index where a URL ends: at white space or a double quote. A backslash, as in JSON, escapes the next character. */
function endOfUrl(text: string, start: number): number {
  let end = start;
  while (end < text.length) {
    const character = text.charAt(end);
    if (character === '"' || space.test(character)) break;
    end += character === "\\" ? 2 : 1;
  }
  return Math.min(end, text.length);
}
