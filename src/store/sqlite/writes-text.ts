import type { Value, Writes } from "./uncommitted";

// How writes go to another thread: as one text, which goes as it is. An array would be cloned with a look-up of each text in
// a table of all texts, which costs a POST more than its SQLite. Each run of a statement is its number and the kinds of its
// values, and then the values.

const separator = "\0";
const kinds = { text: "t", number: "n", null: "-", json: "j" };

/** One text, which {@link writesOf} reads. */
export function textOf(writes: Writes): string {
  let text = "";
  for (const { statement, values } of writes) {
    let head = `${statement} `;
    let fields = "";
    for (const value of values) {
      if (typeof value === "number") {
        head += kinds.number;
        fields += separator + value;
      } else if (value === null) {
        head += kinds.null;
      } else if (value.includes(separator)) {
        head += kinds.json;
        fields += separator + JSON.stringify(value);
      } else {
        head += kinds.text;
        fields += separator + value;
      }
    }
    text += head + fields + separator;
  }
  return text;
}

export function writesOf(text: string): Writes {
  const writes: { statement: number; values: Value[] }[] = [];
  const fields = text.split(separator);
  let next = 0;
  // The last separator has nothing behind it.
  while (next < fields.length - 1) {
    const head = fields[next++] as string;
    const values: Value[] = [];
    for (let index = head.indexOf(" ") + 1; index < head.length; index += 1) {
      const kind = head[index];
      values.push(kind === kinds.null ? null : decoded(kind, fields[next++] as string));
    }
    writes.push({ statement: Number.parseInt(head, 10), values });
  }
  return writes;
}

function decoded(kind: string | undefined, field: string): Value {
  if (kind === kinds.text) return field;
  return kind === kinds.number ? Number(field) : (JSON.parse(field) as string);
}
