import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import type { Stored } from "../../stored";

/**
 * Reads all records of a resource in batches, in ascending order of id.
 *
 * @param batch maximum number of records in memory at a time. Default: 1,000.
 */
export function* recordBatches(db: Database, { plural }: Resource, batch = 1000): Generator<Stored[]> {
  const read = db.prepare<Stored, [number, number]>(`SELECT id, version, json FROM "${plural}" WHERE id > ? ORDER BY id LIMIT ?`);
  for (let rows = read.all(0, batch); rows.length > 0; rows = read.all(rows.at(-1)?.id ?? 0, batch)) yield rows;
}
