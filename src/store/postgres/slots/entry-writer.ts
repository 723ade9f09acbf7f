import type { Resource } from "../../../schema/resource";
import { equalRecords, missingTarget } from "../../broken-declarations";
import type { Queries } from "../connection/queries";
import { targetsAt } from "./slot-entries";
import type { Slot } from "./slots";

/** A record as it is stored. Its mark changes with each change of the row. */
export interface Row {
  readonly id: number;
  readonly json: string;
  readonly mark: string;
}

/** Records with their entries in some slots. */
export interface Part {
  readonly slots: readonly Slot[];
  readonly rows: Row[];
  readonly entries: { readonly slot: Slot; readonly key: string; readonly id: number; readonly count: number | null }[];
}

/** Called for each record with which a declaration does not hold. */
export type Refuse = (slot: Slot, line: string) => void;

interface Means {
  /** The commit lock. */
  readonly lock: string;
  /** The tables of resources, by name. */
  readonly tables: ReadonlyMap<string, string>;
  readonly resource: Resource;
  readonly refuse: Refuse;
}

/** The result of the function that adds entries. */
interface Filled {
  /** The records that have changed since they were read. */
  readonly changed: readonly number[] | null;
  /** True if some of the entries were there. */
  readonly were_there: boolean;
  readonly taken_slot: readonly number[] | null;
  readonly taken_id: readonly number[] | null;
  readonly taken_by: readonly number[] | null;
}

/** Number of parts to add with a look at each entry, after one of which some entries were there. */
const looks = 20;

export function emptyPart(slots: readonly Slot[]): Part {
  return { slots, rows: [], entries: [] };
}

/** Adds a record and its entries to a part. */
export function addTo({ slots, rows, entries }: Part, row: Row): void {
  rows.push(row);
  const record = JSON.parse(row.json) as object;
  for (const slot of slots) for (const [key, count] of slot.entriesOf(record)) entries.push({ slot, key, id: row.id, count });
}

/** Adds the entries of older records of a resource to slots. The database works on one part while the next one is made. */
export class EntryWriter {
  #inProgress: Promise<void> = Promise.resolve();
  /** All records up to this id have their entries. */
  #filledTo = 0;
  #looks = 0;

  constructor(
    readonly queries: Queries,
    readonly means: Means,
  ) {}

  /** Begins to add a part. Resolves when the one before is in the database. */
  async add(part: Part): Promise<void> {
    const [before, added] = [this.#inProgress, this.#add(part)];
    this.#inProgress = before
      .then(() => added)
      .then(() => {
        this.#filledTo = part.rows.at(-1)?.id ?? this.#filledTo;
      });
    for (const each of [added, this.#inProgress]) each.catch(() => {});
    await before;
  }

  /** Resolves when all parts are in the database. */
  settled(): Promise<void> {
    return this.#inProgress;
  }

  /** Notes that all records up to an id have their entries. Resolves when all is on the disk of the database. */
  async end(slots: readonly Slot[], filledTo: number): Promise<void> {
    await this.settled();
    this.#filledTo = filledTo;
    await this.#call(emptyPart(slots));
  }

  async #add(part: Part): Promise<void> {
    const filled = await this.#call(part);
    for (const [index, number] of (filled?.taken_slot ?? []).entries()) {
      const slot = part.slots.find((each) => each.number === number) as Slot;
      const { resource, refuse } = this.means;
      refuse(slot, equalRecords(resource, filled?.taken_by?.[index], filled?.taken_id?.[index] as number));
    }
    await this.#refuseMissing(part);
    if (filled?.changed) await this.#addAgain(part, filled.changed);
  }

  /** Adds the entries of records that have changed since they were read. */
  async #addAgain({ slots }: Part, ids: readonly number[]): Promise<void> {
    const again = emptyPart(slots);
    const { plural } = this.means.resource;
    const sql = `SELECT id, json, xmin::text AS mark FROM "${plural}" WHERE id = ANY($1::bigint[])`;
    for (const row of await this.queries.query<Row>(sql, ids)) addTo(again, row);
    if (again.rows.length > 0) await this.#add(again);
  }

  async #call({ slots, rows, entries }: Part): Promise<Filled | undefined> {
    const { lock, resource } = this.means;
    const [unique, others] = [entries.filter(isUnique), entries.filter((entry) => !isUnique(entry))];
    // In the order of the index, so that it changes each page once.
    others.sort((a, b) => a.slot.number - b.slot.number || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id));
    const [filled] = await this.queries.query<Filled>(
      `SELECT * FROM warren_fill_1($1::bigint, $2, $3::bigint[], $4::text[], $5::int[], $6::text[], $7::bigint[], $8::int[], $9::int[],
         $10::text[], $11::bigint[], $12::int[], $13::bigint, $14::boolean)`,
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
      this.#filledTo,
      this.#looks > 0,
    );
    this.#looks = filled?.were_there ? looks : Math.max(0, this.#looks - 1);
    return filled;
  }

  /** Refuses references of records to records that do not exist. */
  async #refuseMissing({ slots, rows }: Part): Promise<void> {
    const { resource, tables, refuse } = this.means;
    for (const slot of slots) {
      const { definition } = slot;
      if (definition.kind !== "reference") continue;
      const targetsIn = targetsAt(definition.path);
      const targets = rows.flatMap(({ id, json }) => [...targetsIn(JSON.parse(json) as object)].map((target) => ({ id, target })));
      if (targets.length === 0) continue;
      const missing = await this.queries.query<{ target: number }>(
        `SELECT q.target FROM unnest($1::bigint[]) q(target) WHERE NOT EXISTS (SELECT FROM "${tables.get(definition.to)}" w WHERE w.id = q.target)`,
        [...new Set(targets.map(({ target }) => target))],
      );
      const unknown = new Set(missing.map(({ target }) => target));
      for (const { id, target } of targets) if (unknown.has(target)) refuse(slot, missingTarget(resource, id, definition, target));
    }
  }
}

function isUnique({ slot }: Part["entries"][number]): boolean {
  return slot.definition.kind === "unique";
}
