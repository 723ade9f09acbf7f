/** With the row that brings the texts of a part to this many characters, the part ends. */
const partLength = 2 * 1024 * 1024;

/** Returns the first rows, up to a total length of their texts. No part is much larger, whatever is in a table. */
export function partOf<Row extends object>(rows: Iterable<Row>): Row[] {
  const part: Row[] = [];
  let length = 0;
  for (const row of rows) {
    part.push(row);
    for (const value of Object.values(row)) if (typeof value === "string" || value instanceof Uint8Array) length += value.length;
    if (length >= partLength) break;
  }
  return part;
}
