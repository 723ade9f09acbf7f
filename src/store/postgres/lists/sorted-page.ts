import type { Way } from "../../list-ways";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";
import type { KeyPlace } from "./list-reader";
import type { ListMeans, Wanted } from "./wanted-page";

/** Number of records to read at a time. */
const batch = 200;

/** Reads the few records of some ids that match, sorted: those of a page, and one more if there is one. */
export async function sorted(
  { reader, slots }: Pick<ListMeans, "reader" | "slots">,
  queries: Queries,
  ids: readonly number[],
  { by, descending }: Way,
  { limit, after, matches }: Wanted,
): Promise<StoredRow[]> {
  // The records have equal values in the fields before those that the list is sorted by.
  const keys = by.kind === "index" && by.rest.length > 0 ? slots.indexOf(by.index).keys : undefined;
  const fixed = keys && by.kind === "index" ? keys.compared(by.variants[0] ?? []) : [];
  const compare = (a: Sortable, b: Sortable) => (Buffer.compare(a.key, b.key) || a.id - b.id) * (descending ? -1 : 1);
  const start = after && sortable({ key: keys?.ofValues([...fixed, ...after.keys]) ?? "", id: after.id });
  let best: (Sortable & { readonly row: StoredRow })[] = [];
  for (let first = 0; first < ids.length; first += batch) {
    const rows = await reader.records(queries, ids.slice(first, first + batch));
    const found = rows.filter(matches).map((row) => {
      const key = keys?.of(JSON.parse(row.json) as object) ?? "";
      return { row, ...sortable({ key, id: row.id }) };
    });
    const later = start ? found.filter((one) => compare(one, start) > 0) : found;
    best = [...best, ...later].sort(compare).slice(0, limit + 1);
  }
  return best.map(({ row }) => row);
}

interface Sortable {
  readonly key: Buffer;
  readonly id: number;
}

function sortable({ key, id }: KeyPlace): Sortable {
  return { key: Buffer.from(key), id };
}
