import { type Count, countAtMost } from "../../listing";
import type { Queries } from "../connection/queries";
import type { StoredRow } from "../records/stored-row";
import { type Selection, selectionOf } from "./list-selection";
import type { ListMeans, Wanted } from "./wanted-page";

/** Number of records to read at a time. */
const batch = 1000;

/**
 * Counts the records of a list, up to {@link countAtMost}. It reads no more than that number of records, or of entries of an index: a
 * count that needs more is not exact.
 */
export async function countOf(means: ListMeans, queries: Queries, { given, matches }: Pick<Wanted, "given" | "matches">): Promise<Count> {
  const { conditions, slots, reader } = means;
  const indexed = given.filter((one) => conditions.hasIndex(one)).map((one) => ({ one, selection: selectionOf(conditions, slots, one) }));
  let driver = indexed[0];
  let found = driver ? countAtMost + 1 : await reader.count(queries, countAtMost + 1);
  for (const one of indexed) {
    const count = await one.selection.count(queries, countAtMost + 1);
    if (count > countAtMost) continue;
    [driver, found] = [one, count];
    break;
  }
  const isExact = found <= countAtMost;
  const others = given.filter((one) => one !== driver?.one || !driver.selection.isWhole);
  if (others.length === 0) return { value: Math.min(found, countAtMost), isExact };
  const value = driver ? await countMatching(means, queries, driver.selection, matches) : await countAmongFirst(means, queries, matches);
  return { value, isExact };
}

async function countMatching(
  { reader }: ListMeans,
  queries: Queries,
  selection: Selection,
  matches: (row: StoredRow) => boolean,
): Promise<number> {
  const ids = await selection.read(queries, countAtMost);
  let value = 0;
  for (let first = 0; first < ids.length; first += batch)
    value += (await reader.records(queries, ids.slice(first, first + batch))).filter(matches).length;
  return value;
}

/** Counts the matching records among the first ones by id. */
async function countAmongFirst({ reader }: ListMeans, queries: Queries, matches: (row: StoredRow) => boolean): Promise<number> {
  let value = 0;
  let last: number | undefined;
  for (let read = 0; read < countAtMost; read += batch) {
    const rows = await reader.byId(queries, last, false, batch);
    value += rows.filter(matches).length;
    if (rows.length < batch) break;
    last = rows.at(-1)?.id;
  }
  return value;
}
