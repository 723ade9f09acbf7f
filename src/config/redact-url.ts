const space = /\s/;
const trailing = /[.,;:)\]]*$/;

/** Hides user, password and query of a URL that is shown, or of several. Takes text that is not a valid URL as well. */
export function redactUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1***@").replace(/\?.+$/s, "?***");
}

/**
 * Hides user, password and query of each URL within a text, which may be JSON. It goes through the text once, since an
 * expression with a limit on its work would leave a long text as it is.
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

/** Up to a space or a quote; within JSON, a quote in a text has a backslash before it. */
function endOfUrl(text: string, start: number): number {
  let end = start;
  while (end < text.length) {
    const character = text.charAt(end);
    if (character === '"' || space.test(character)) break;
    end += character === "\\" ? 2 : 1;
  }
  return Math.min(end, text.length);
}
