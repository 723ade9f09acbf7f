import type { LogEntry, LogReader } from "../../log";
import type { Queries, Value } from "../connection/queries";
import { bytesOfCharacter, lengthOf, valuesOf, within } from "./selected-events";

/** `last`: the position at the end of the part that was searched. */
type Found = { readonly last: number } & (LogEntry | { readonly position: null });

/** Return a statement for a number of groups of visible events. -1: all are visible. */
interface Statements {
  ofAll(groups: number): string;
  ofSubject(groups: number): string;
}

interface Scanned {
  readonly entries: LogEntry[];
  /** Position of the last entry if there may be more in the part that was searched. Undefined if all of it was read. */
  readonly reached: number | undefined;
  /** Position at the end of the part that was searched. Undefined if there is none. */
  readonly last: number | undefined;
}

/** Reads selected events of a part of the log that begins at a position, in the order of the statements. */
export async function scanned(
  query: Queries["query"],
  { ofAll, ofSubject }: Statements,
  start: number,
  { types, subject, visible, limit, maxLength }: Parameters<LogReader["scan"]>[1],
): Promise<Scanned> {
  const bounds: Value[] = [start, types, limit, Math.min(bytesOfCharacter * maxLength, Number.MAX_SAFE_INTEGER)];
  const groups = visible?.length ?? -1;
  const rows =
    subject === null
      ? await query<Found>(ofAll(groups), ...bounds, ...valuesOf(visible))
      : await query<Found>(ofSubject(groups), ...bounds, subject, ...valuesOf(visible));
  const found = rows.filter((row): row is LogEntry & Found => row.position !== null);
  const entries = within(found, maxLength);
  const isFull = entries.length === limit || entries.length < found.length || lengthOf(entries) >= maxLength;
  return { entries, reached: isFull ? (entries.at(-1)?.position ?? start) : undefined, last: rows[0]?.last };
}
