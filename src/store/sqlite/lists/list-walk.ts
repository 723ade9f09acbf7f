import type { Place } from "../../listing";

/** A field that a list is sorted by, as SQL. */
export interface Column {
  readonly key: string;
  readonly descending: boolean;
}

/** Where a list gets its ids from, in their order. */
export interface Source {
  /** SQL that follows FROM: a table, perhaps with its index. */
  readonly from: string;
  /** The column of the ids. */
  readonly id: string;
  readonly columns: readonly Column[];
  /** True if the ids of records with equal columns descend. */
  readonly descending: boolean;
  /** SQL conditions for the records. */
  readonly where: readonly string[];
  /** SQL for further ids in the column `id`, to which these conditions do not apply. */
  readonly also?: string;
  /** SQL conditions for the first column: for where the list starts, and for where it ends. */
  readonly bounds: readonly [start: string | undefined, end: string | undefined];
}

/**
 * Returns SQL for the ids of a list in its order, from a place on. The cost does not depend on the place: each part of the query is one
 * range of an index. A single condition would not be: SQLite looks up only the first column of `(a, b, id) > (?, ?, ?)`.
 *
 * @param select what to select. Default: the id.
 */
export function idsAfter(source: Source, place: Place | undefined, select = `${source.id} AS id`): string {
  const { from, id, columns, descending, where, also } = source;
  const parts = partsAfter(source, place).map(({ conditions, pinned }) => {
    const order = orderOf({ columns: columns.slice(pinned), id, descending });
    // Only as parts of one query with an ORDER BY are the two merged without reading all of them.
    const further = also === undefined ? "" : ` UNION ALL SELECT id FROM (${also})${whereOf(conditions)}`;
    return `SELECT ${select} FROM ${from}${whereOf([...where, ...conditions])}${further} ORDER BY ${order}`;
  });
  return parts.length === 1 ? (parts[0] as string) : parts.map((part) => `SELECT id FROM (${part})`).join("\nUNION ALL ");
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
}

/** Returns an SQL condition for the records of a list that come after a place. */
export function isAfter(source: Pick<Source, "columns" | "id" | "descending">, place: Place | undefined): string {
  const parts = partsAfter({ ...source, bounds: [undefined, undefined] }, place).map(({ conditions }) => conditions.join(" AND "));
  return place ? `(${parts.join(" OR ")})` : "TRUE";
}

/** SQL for ORDER BY. */
export function orderOf({ columns, id, descending }: Pick<Source, "columns" | "id" | "descending">): string {
  return [...columns.map(by), `${id}${descending ? " DESC" : ""}`].join(", ");
}

/** Values for the parameters that the SQL of a place has. */
export function bindingsOf(place: Place | undefined): Record<string, string | number | null> {
  if (!place) return {};
  return { id: place.id, ...Object.fromEntries(place.keys.map((key, index) => [`key${index}`, key])) };
}

interface Part {
  readonly conditions: readonly string[];
  /** The number of first columns that are equal in all records. */
  readonly pinned: number;
}

/** Returns the parts of a list after a place, in their order: equal to it but for the id, but for the last column, and so on. */
function partsAfter(
  { columns, id, descending, bounds: [start, end] }: Pick<Source, "columns" | "id" | "descending" | "bounds">,
  place: Place | undefined,
): Part[] {
  const bounds = [start, end].filter((bound) => bound !== undefined);
  if (!place) return [{ conditions: bounds, pinned: 0 }];
  const pins = columns.map(({ key }, index) => `${key} IS $key${index}`);
  const parts: Part[] = [{ conditions: [...pins, `${id} ${descending ? "<" : ">"} $id`, ...bounds], pinned: columns.length }];
  for (let index = columns.length - 1; index >= 0; index -= 1) {
    const { key, descending: falls } = columns[index] as Column;
    const value = place.keys[index] ?? null;
    // With a plus, SQLite begins at the place and not at the start of the list.
    const limits = index === 0 ? [start && `+${start}`, end].filter((bound) => bound !== undefined) : bounds;
    const add = (condition: string, pinned: number) => parts.push({ conditions: [...pins.slice(0, index), condition, ...limits], pinned });
    // In SQLite, null is less than numbers, and these less than text. It would not look up IS NOT NULL in the index.
    if (!falls) add(value === null ? `${key} >= -9e999` : `${key} > $key${index}`, index);
    else if (value !== null) {
      add(`${key} < $key${index}`, index);
      if (index > 0 || bounds.length === 0) add(`${key} IS NULL`, index + 1);
    }
  }
  return parts;
}

function by({ key, descending }: Column): string {
  return `${key}${descending ? " DESC" : ""}`;
}
