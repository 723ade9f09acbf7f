import type { Resource } from "../../../schema/resource";
import { brokenDeclaration, mostNamed, type OnBuilt, referenceRemedy, uniqueRemedy } from "../../broken-declarations";
import type { Queries } from "../connection/queries";
import { addTo, EntryWriter, emptyPart, type Part, type Refuse, type Row } from "./entry-writer";
import { titleOf } from "./slot-definition";
import type { Slot } from "./slots";

interface Means {
  /** The commit lock. */
  readonly lock: string;
  /** The tables of resources, by name. */
  readonly tables: ReadonlyMap<string, string>;
  /** Called every few seconds, so that no other process fills the slots. */
  readonly renew: () => Promise<unknown>;
}

/** A slot that lacks entries of older records. */
export interface UnfilledSlot {
  readonly slot: Slot;
  readonly filledTo: number;
  readonly lastId: number;
}

/** Number of records to read at a time. */
const batch = 1000;
/** Number of entries to add at a time, since commits wait meanwhile. */
const mostEntries = 4000;
/** Time after which the slots are claimed again, in milliseconds. */
const renewEveryMs = 2000;
/** Number of records after which progress is told. */
const toldEvery = 10_000;

/**
 * Adds the entries of a resource's older records to some of its slots, in bounded batches beside other commits. Goes on where an
 * interrupted one has ended.
 *
 * @returns lines that say which declarations do not hold for stored records, and their slots.
 */
export async function fillSlots(
  queries: Queries,
  { lock, tables, renew }: Means,
  resource: Resource,
  unfilled: readonly UnfilledSlot[],
  onBuilt: OnBuilt,
): Promise<{ readonly lines: string[]; readonly slots: number[] }> {
  const refused = new Map<Slot, string[]>(unfilled.map(({ slot }) => [slot, []]));
  const refuse: Refuse = (slot, line) => {
    const lines = refused.get(slot) as string[];
    if (lines.length < mostNamed && !lines.includes(line)) lines.push(line);
  };
  const writer = new EntryWriter(queries, { lock, tables, resource, refuse });
  let renewedAt = performance.now();
  let records = 0;
  let reached = 0;
  for await (const { rows, to } of batchesOf(queries, resource, unfilled)) {
    const slots = unfilled.filter(({ filledTo }) => filledTo < to).map(({ slot }) => slot);
    if (performance.now() - renewedAt > renewEveryMs) {
      // Nothing waits under the commit lock for the rows that this locks.
      await writer.settled();
      await renew();
      renewedAt = performance.now();
    }
    for (const part of partsOf(slots, rows)) await writer.add(part);
    if (isHopeless(refused)) break;
    reached = to;
    records += rows.length;
    if (records % toldEvery === 0 && rows.length > 0) for (const slot of slots) onBuilt(titleOf(resource.name, slot.definition), records);
  }
  await writer.end(
    unfilled.map(({ slot }) => slot),
    reached,
  );
  const broken = [...refused].filter(([, lines]) => lines.length > 0);
  return {
    lines: broken.flatMap(([{ definition }, lines]) =>
      brokenDeclaration(titleOf(resource.name, definition), lines, definition.kind === "unique" ? uniqueRemedy : referenceRemedy),
    ),
    slots: broken.map(([{ number }]) => number),
  };
}

interface Batch {
  readonly rows: readonly Row[];
  /** All records up to this id are in this batch or in earlier ones. */
  readonly to: number;
}

/** Reads the records that lack entries. While one batch is worked on, the next one is read. */
async function* batchesOf(queries: Queries, { plural }: Resource, unfilled: readonly UnfilledSlot[]): AsyncGenerator<Batch> {
  const lastId = Math.max(...unfilled.map((each) => each.lastId));
  const sql = `SELECT id, json, xmin::text AS mark FROM "${plural}" WHERE id > $1 AND id <= $2 ORDER BY id LIMIT ${batch}`;
  const read = (after: number) => {
    const reading = queries.query<Row>(sql, after, lastId);
    // It is awaited later, unless something else fails.
    reading.catch(() => {});
    return reading;
  };
  let next = read(Math.min(...unfilled.map(({ filledTo }) => filledTo)));
  for (let to = 0; to < lastId; ) {
    const rows = await next;
    to = rows.length < batch ? lastId : (rows.at(-1)?.id ?? lastId);
    if (to < lastId) next = read(to);
    yield { rows, to };
  }
}

/** Makes the entries of records, in parts of about {@link mostEntries}. */
function* partsOf(slots: readonly Slot[], rows: readonly Row[]): Generator<Part> {
  let part = emptyPart(slots);
  for (const row of rows) {
    addTo(part, row);
    if (part.entries.length < mostEntries) continue;
    yield part;
    part = emptyPart(slots);
  }
  if (part.rows.length > 0) yield part;
}

/** Returns whether enough records are named of all declarations that may not hold for records. */
function isHopeless(refused: ReadonlyMap<Slot, readonly string[]>): boolean {
  const constraints = [...refused].filter(([{ definition }]) => definition.kind === "unique" || definition.kind === "reference");
  return constraints.length > 0 && constraints.every(([, lines]) => lines.length === mostNamed);
}
