import { afterEach, beforeEach } from "bun:test";
import type { PostgresAddress } from "../../src/config/postgres-url";
import type { Resource } from "../../src/schema/resource";
import type { LogEntry } from "../../src/store/log";
import { openDatabase } from "../../src/store/postgres/connection";
import { openRecords } from "../../src/store/postgres/open-records";
import type { Store } from "../../src/store/store";
import { type PostgresSchema, schemaIn, sharedPostgres } from "./postgres";
import { memberOf } from "./use-store";

let schemas = 0;

/** Opens what the store has of records and events in a schema. Lists of transactions read all records. */
export async function openIn(address: PostgresAddress, resources: readonly Resource[]): Promise<Store> {
  const database = openDatabase(address);
  const { query } = database;
  const { close, ...records } = await openRecords(database, address, resources, {
    async readList(queries, { layout, where }) {
      const rows = await queries.query<{ id: number; version: number; shape: number; json: string }>(
        `SELECT id, version, shape, json FROM "${layout.resource.plural}" ORDER BY id`,
      );
      const isIn = (record: Record<string, unknown>) => Object.entries(where).every(([path, value]) => record[path] === value);
      return rows.filter(({ json }) => isIn(JSON.parse(json)));
    },
    onAppend: () => {},
  });
  const columns = "position, id::text AS id, type, subject, timestamp, body, traceparent";
  const log = {
    read: (position: number, limit: number) =>
      query<LogEntry>(`SELECT ${columns} FROM events WHERE position > $1 ORDER BY position LIMIT $2`, position, limit),
    end: async () => (await query<{ position: number }>("SELECT coalesce(max(position), 0) AS position FROM events"))[0]?.position ?? 0,
  };
  return {
    ...records,
    log,
    async close() {
      await close();
      await database.close();
    },
  } as unknown as Store;
}

/**
 * Opens several stores on one new schema before each test of a block, as several processes do. Closes them after the test, and drops the
 * schema.
 */
export function useStores(count: number, resources: readonly Resource[]) {
  let schema: PostgresSchema;
  let opened: Store[] = [];
  beforeEach(async () => {
    schemas += 1;
    schema = schemaIn(await sharedPostgres(), `several_${schemas}`);
    for (let each = 0; each < count; each += 1) opened.push(await openIn(schema.address, resources));
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
    await schema.drop();
  });
  const leadingTo = (index: number) => new Proxy({} as Store, { get: (_, name) => memberOf(opened[index] as Store, name) });
  return {
    stores: Array.from({ length: count }, (_, index) => leadingTo(index)),
    schema: () => schema,
  };
}
