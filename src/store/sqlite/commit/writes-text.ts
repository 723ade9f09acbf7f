import type { Value, Writes } from "./uncommitted";

// Encodes writes as one string to send them to another thread. A string is passed on without conversion. Cloning an array looks
// up each of its strings in a table of strings, which takes longer than SQLite needs for a POST. Each execution of a statement
// is encoded as the statement's index and the kinds of its values, followed by the values.

const separator = "\0";
const kinds = { text: "t", number: "n", null: "-", json: "j" };

/** Encodes writes as a string that {@link parseWrites} decodes. */
export function serializeWrites(writes: Writes): string {
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

/** Decodes writes encoded by {@link serializeWrites}. */
export function parseWrites(text: string): Writes {
  const writes: { statement: number; values: Value[] }[] = [];
  const fields = text.split(separator);
  let next = 0;
  // The text ends with a separator, so the last field is empty.
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
