import type { SQL } from "bun";

/** The types `bigint` and `bigint[]`, which the driver gives as text. */
const bigint = 20;
const bigints = 1016;

/** Rows of a statement, with what the server says about them. */
export type Result = Record<string, unknown>[] & SQL.ResultMetadata;

/** Names of the columns to convert, by the columns of a prepared statement. */
const known = new WeakMap<readonly SQL.ResultColumn[], { readonly numbers: string[]; readonly arrays: string[] }>();

/** Makes numbers of `bigint` values, in place. They are exact up to 2^53. */
export function withNumbers(rows: Result): Result {
  const { columns } = rows;
  if (!columns || rows.length === 0) return rows;
  let found = known.get(columns);
  if (!found) {
    const named = (type: number) => columns.filter((column) => column.type === type).map(({ name }) => name);
    found = { numbers: named(bigint), arrays: named(bigints) };
    known.set(columns, found);
  }
  const { numbers, arrays } = found;
  if (numbers.length + arrays.length === 0) return rows;
  for (const row of rows) {
    for (const name of numbers) row[name] = numberOf(row[name]);
    for (const name of arrays) row[name] = (row[name] as unknown[] | null)?.map(numberOf) ?? null;
  }
  return rows;
}

function numberOf(value: unknown): number | null {
  return value === null ? null : Number(value);
}
