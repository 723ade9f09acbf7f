import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import type { Stored } from "../stored";

/** Maximum number of records in memory at a time. */
const batch = 1000;

/** Reads all records of a resource in batches, in ascending order of id. */
export function* recordBatches(db: Database, { plural }: Resource): Generator<Stored[]> {
  const read = db.prepare<Stored, [number, number]>(`SELECT id, version, json FROM "${plural}" WHERE id > ? ORDER BY id LIMIT ?`);
  for (let rows = read.all(0, batch); rows.length > 0; rows = read.all(rows.at(-1)?.id ?? 0, batch)) yield rows;
}
