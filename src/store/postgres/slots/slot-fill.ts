import type { Resource } from "../../../schema/resource";
import { brokenDeclaration, equalRecords, missingTarget, mostNamed, referenceRemedy, uniqueRemedy } from "../../broken-declarations";
import type { Queries } from "../connection/queries";
import { titleOf } from "./slot-definition";
import { targetsAt } from "./slot-entries";
import type { Slot } from "./slots";

/** Called during a long start with the number of records read so far. */
type OnBuilt = (title: string, records: number) => void;

interface Means {
  /** The commit lock. */
  readonly lock: string;
  /** The tables of resources, by name. */
  readonly tables: ReadonlyMap<string, string>;
  /** Called with each batch, so that no other process fills the slots. */
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
const mostEntries = 2000;
/** Number of records after which progress is told. */
const toldEvery = 10_000;

/** A record as it is stored. Its mark changes with each change of the row. */
interface Row {
  readonly id: number;
  readonly json: string;
  readonly mark: string;
}

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
  const refuse = (slot: Slot, line: string) => {
    const lines = refused.get(slot) as string[];
    if (lines.length < mostNamed && !lines.includes(line)) lines.push(line);
  };
  const lastId = Math.max(...unfilled.map((each) => each.lastId));
  const read = `SELECT id, json, xmin::text AS mark FROM "${resource.plural}" WHERE id > $1 AND id <= $2 ORDER BY id LIMIT ${batch}`;
  let records = 0;
  for (let after = Math.min(...unfilled.map(({ filledTo }) => filledTo)); after < lastId; ) {
    const rows = await queries.query<Row>(read, after, lastId);
    const to = rows.length < batch ? lastId : (rows.at(-1)?.id ?? lastId);
    const slots = unfilled.filter(({ filledTo }) => filledTo < to).map(({ slot }) => slot);
    await renew();
    await fill(queries, { lock, tables, resource, slots, to, refuse }, rows);
    if (isHopeless(refused)) break;
    after = to;
    records += rows.length;
    if (records % toldEvery === 0 && rows.length > 0) for (const slot of slots) onBuilt(titleOf(resource.name, slot.definition), records);
  }
  const broken = [...refused].filter(([, lines]) => lines.length > 0);
  return {
    lines: broken.flatMap(([{ definition }, lines]) =>
      brokenDeclaration(titleOf(resource.name, definition), lines, definition.kind === "unique" ? uniqueRemedy : referenceRemedy),
    ),
    slots: broken.map(([{ number }]) => number),
  };
}

/** Returns whether enough records are named of all declarations that may not hold for records. */
function isHopeless(refused: ReadonlyMap<Slot, readonly string[]>): boolean {
  const constraints = [...refused].filter(([{ definition }]) => definition.kind === "unique" || definition.kind === "reference");
  return constraints.length > 0 && constraints.every(([, lines]) => lines.length === mostNamed);
}

interface Filling {
  readonly lock: string;
  readonly tables: ReadonlyMap<string, string>;
  readonly resource: Resource;
  readonly slots: readonly Slot[];
  /** Id up to which the slots are then filled. */
  readonly to: number;
  readonly refuse: (slot: Slot, line: string) => void;
}

async function fill(queries: Queries, filling: Filling, rows: readonly Row[]): Promise<void> {
  const changed: number[] = [];
  const parts = inParts(filling.slots, rows);
  for (const part of parts) changed.push(...(await add(queries, filling, part, null)));
  if (changed.length === 0) {
    await add(queries, filling, emptyPart(), filling.to);
    return;
  }
  const { plural } = filling.resource;
  const again = await queries.query<Row>(`SELECT id, json, xmin::text AS mark FROM "${plural}" WHERE id = ANY($1::bigint[])`, changed);
  return fill(queries, filling, again);
}

/** Records with their entries. */
interface Part {
  readonly rows: Row[];
  readonly entries: { readonly slot: Slot; readonly key: string; readonly id: number; readonly count: number | null }[];
}

const emptyPart = (): Part => ({ rows: [], entries: [] });

function inParts(slots: readonly Slot[], rows: readonly Row[]): Part[] {
  const parts: Part[] = [];
  let part = emptyPart();
  for (const row of rows) {
    if (part.rows.length === 0) parts.push(part);
    part.rows.push(row);
    const record = JSON.parse(row.json) as object;
    for (const slot of slots) for (const [key, count] of slot.entriesOf(record)) part.entries.push({ slot, key, id: row.id, count });
    if (part.entries.length >= mostEntries) part = emptyPart();
  }
  return parts;
}

interface Filled {
  readonly changed: readonly number[] | null;
  readonly taken_slot: readonly number[] | null;
  readonly taken_id: readonly number[] | null;
  readonly taken_by: readonly number[] | null;
}

/** Adds entries. Resolves with the ids of the records that have changed since they were read. */
async function add(queries: Queries, filling: Filling, { rows, entries }: Part, upTo: number | null): Promise<readonly number[]> {
  const { lock, resource, slots, refuse } = filling;
  const [unique, others] = [entries.filter(isUnique), entries.filter((entry) => !isUnique(entry))];
  // In the order of the index, so that it changes each page once.
  others.sort((a, b) => a.slot.number - b.slot.number || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id));
  const [filled] = await queries.query<Filled>(
    `SELECT * FROM warren_fill_1($1::bigint, $2, $3::bigint[], $4::text[], $5::int[], $6::text[], $7::bigint[], $8::int[], $9::int[],
       $10::text[], $11::bigint[], $12::int[], $13::bigint)`,
    lock,
    resource.plural,
    rows.map(({ id }) => id),
    rows.map(({ mark }) => mark),
    others.map(({ slot }) => slot.number),
    others.map(({ key }) => key),
    others.map(({ id }) => id),
    others.map(({ count }) => count),
    unique.map(({ slot }) => slot.number),
    unique.map(({ key }) => key),
    unique.map(({ id }) => id),
    slots.map(({ number }) => number),
    upTo,
  );
  for (const [index, number] of (filled?.taken_slot ?? []).entries()) {
    const slot = slots.find((each) => each.number === number) as Slot;
    refuse(slot, equalRecords(resource, filled?.taken_by?.[index], filled?.taken_id?.[index] as number));
  }
  await refuseMissing(queries, filling, rows);
  return filled?.changed ?? [];
}

function isUnique({ slot }: Part["entries"][number]): boolean {
  return slot.definition.kind === "unique";
}

/** Refuses references of records to records that do not exist. */
async function refuseMissing({ query }: Queries, { resource, slots, tables, refuse }: Filling, rows: readonly Row[]): Promise<void> {
  for (const slot of slots) {
    const { definition } = slot;
    if (definition.kind !== "reference") continue;
    const targetsIn = targetsAt(definition.path);
    const targets = rows.flatMap(({ id, json }) => [...targetsIn(JSON.parse(json) as object)].map((target) => ({ id, target })));
    if (targets.length === 0) continue;
    const missing = await query<{ target: number }>(
      `SELECT q.target FROM unnest($1::bigint[]) q(target) WHERE NOT EXISTS (SELECT FROM "${tables.get(definition.to)}" w WHERE w.id = q.target)`,
      [...new Set(targets.map(({ target }) => target))],
    );
    const unknown = new Set(missing.map(({ target }) => target));
    for (const { id, target } of targets) if (unknown.has(target)) refuse(slot, missingTarget(resource, id, definition, target));
  }
}
