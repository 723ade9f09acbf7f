import type { Resource } from "../../src/schema/resource";
import { clockOf } from "../../src/store/postgres/changes/clock";
import type { Database } from "../../src/store/postgres/connection/queries";
import { Lists } from "../../src/store/postgres/lists/lists";
import { layoutsOf, type RecordStore, recordStore } from "../../src/store/postgres/record-store";
import { lockKey } from "../../src/store/postgres/schema/migrations";
import { Slots } from "../../src/store/postgres/slots/slots";

/** Opens the records of a schema that a store of the same resources has made, without the tasks of a process. */
export async function openRecordStore(database: Database, schema: string, resources: readonly Resource[]): Promise<RecordStore> {
  const slots = await Slots.load(database);
  const locks = { commit: lockKey(schema, "commit"), ids: lockKey(schema, "ids") };
  const lists = new Lists(database, slots, resources);
  const clock = await clockOf(database);
  const means = { database, place: "", schema, slots, locks, lists, clock };
  return recordStore(layoutsOf(resources), { ...means, keepFunction: async () => {}, onAppend() {} });
}
