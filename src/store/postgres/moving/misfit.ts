import type { MovedRow } from "../../moving/moved-tables";
import { type SqlTable, storedValue } from "./sql-tables";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const greatest: Readonly<Record<string, number>> = { smallint: 2 ** 15 - 1, int: 2 ** 31 - 1 };

/** Returns why PostgreSQL cannot hold a row, or undefined if it can. */
export function misfit({ columns }: SqlTable, row: MovedRow): string | undefined {
  for (const column of columns) {
    const why = misfitOf(column.type, storedValue(column, row));
    if (why !== undefined) return `its ${column.from} ${why}`;
  }
  return undefined;
}

function misfitOf(type: string, value: string | number | null): string | undefined {
  if (typeof value === "number") return value > (greatest[type] ?? Number.MAX_SAFE_INTEGER) ? `is too great: ${value}` : undefined;
  if (value?.includes("\0")) return "contains the character U+0000";
  return value !== null && type === "uuid" && !uuid.test(value) ? `is not a UUID in lower case: "${value}"` : undefined;
}
