/**
 * Parts of a statement: comments, texts and names in quotes, in which `?` stands for itself, and parameters. A comment can have comments
 * in it, so it is found by its beginning only.
 */
const parts =
  /--[^\n]*|\/\*|\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|\?/gi;
const commentEdge = /\/\*|\*\//g;

const known = new Map<string, string>();
/** Maximum number of statements to remember. A handler has a few; one that puts values into its statements has any number. */
const mostKnown = 1000;

/** Returns a statement with `$1`, `$2`, … in place of each `?` outside of quotes and comments. */
export function numbered(sql: string): string {
  let result = known.get(sql);
  if (result === undefined) {
    result = sql.includes("?") ? replaced(sql) : sql;
    if (known.size >= mostKnown) known.clear();
    known.set(sql, result);
  }
  return result;
}

function replaced(sql: string): string {
  let [result, from, parameters] = ["", 0, 0];
  const search = new RegExp(parts);
  for (let part = search.exec(sql); part; part = search.exec(sql)) {
    const [text] = part;
    const end = endOf(sql, part.index, text);
    result += sql.slice(from, part.index);
    if (text === "?") {
      parameters += 1;
      result += `$${parameters}`;
    } else result += sql.slice(part.index, end);
    from = search.lastIndex = end;
  }
  return result + sql.slice(from);
}

/** Returns where a part ends that begins at `start` with `text`. */
function endOf(sql: string, start: number, text: string): number {
  const afterText = start + text.length;
  if (text === "/*") return endOfComment(sql, afterText);
  if (!/^\$/.test(text)) return afterText;
  // A dollar after a letter belongs to a name.
  if (/[\w$\u0080-\uffff]/.test(sql.charAt(start - 1))) return afterText;
  const end = sql.indexOf(text, afterText);
  return end < 0 ? sql.length : end + text.length;
}

function endOfComment(sql: string, start: number): number {
  const search = new RegExp(commentEdge);
  search.lastIndex = start;
  let depth = 1;
  for (let edge = search.exec(sql); edge; edge = search.exec(sql)) {
    depth += edge[0] === "/*" ? 1 : -1;
    if (depth === 0) return search.lastIndex;
  }
  return sql.length;
}
