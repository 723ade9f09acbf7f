import type { MovedRow } from "../../moving/moved-tables";
import { type SqlTable, storedValue } from "./sql-tables";

/** Code points that end a value and that stand for null. Where a text contains them, another one could have the same sum, but not by accident. */
const [end, nothing] = [31, 30];
const [endText, nothingText] = [String.fromCharCode(end), String.fromCharCode(nothing)];

/** Returns SQL for the number of rows, `rows`, and the checksum, `sum`, of a part of a table in the order of its first columns. */
export function checksumSql({ name, columns }: SqlTable, where: string): string {
  const order = columns.slice(0, 2).map(({ name, type }) => (type === "text" ? `${name} COLLATE "C"` : name));
  const text = columns.map((column) => `coalesce(${column.name}::text, chr(${nothing})), chr(${end})`).join(", ");
  return `SELECT count(*)::int AS rows, encode(sha256(convert_to(coalesce(string_agg(concat(${text}), '' ORDER BY ${order.join(", ")}), ''), 'UTF8')), 'hex') AS sum
    FROM ${name} WHERE ${where}`;
}

/** Returns the same checksum of rows. */
export function checksumOf({ columns }: SqlTable, rows: readonly MovedRow[]): string {
  let text = "";
  for (const row of rows) for (const column of columns) text += (storedValue(column, row) ?? nothingText) + endText;
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
