// Pages of a list on each engine, over records that are written with any times.
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Resource } from "../../src/schema/resource";
import type { Listing, Page } from "../../src/store/listing";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import { Pages as PostgresPages } from "../../src/store/postgres/lists/pages";
import { keepResourceTables } from "../../src/store/postgres/records/resource-tables";
import { migrate, storeMigrations } from "../../src/store/postgres/schema/migrations";
import { Declarations } from "../../src/store/postgres/slots/declarations";
import { Pages as SqlitePages } from "../../src/store/sqlite/lists/pages";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { temporaryFolder } from "./folder";
import type { Shelf } from "./list-model";
import type { PostgresSchema } from "./postgres";
import { writeRecords } from "./postgres-records";

/** The table of a resource with the fields of a {@link Shelf}. */
export interface ListTable {
  read(listing: Listing): Promise<Page>;
  /** Replaces all records. */
  fill(records: readonly Shelf[]): Promise<void>;
  insert(record: Shelf): Promise<void>;
  remove(id: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a table on SQLite. `db` is its connection. */
export async function openSqliteTable(resource: Resource, reads?: number): Promise<ListTable & { readonly db: Database }> {
  const folder = temporaryFolder();
  const file = join(folder.path, "warren.db");
  await openSqliteStore(file, [resource]).close();
  const db = new Database(file, { strict: true });
  const elements = "shelves:elements:tags";
  const hasElements = resource.indexes.includes("tags");
  const pages = new SqlitePages(db, resource, { readAtMost: reads });
  const insert = (record: Shelf) => {
    db.query("INSERT INTO shelves (id, version, json) VALUES (?, 1, ?)").run(record.id, JSON.stringify(record));
    if (hasElements) for (const tag of new Set(record.tags)) db.query(`INSERT INTO "${elements}" VALUES (?, ?)`).run(tag, record.id);
  };
  return {
    db,
    read: async (listing) => pages.read(listing),
    insert: async (record) => insert(record),
    remove: async (id) => {
      db.query("DELETE FROM shelves WHERE id = ?").run(id);
      if (hasElements) db.query(`DELETE FROM "${elements}" WHERE id = ?`).run(id);
    },
    fill: async (records) =>
      db.transaction(() => {
        db.run("DELETE FROM shelves");
        if (hasElements) db.run(`DELETE FROM "${elements}"`);
        records.forEach(insert);
      })(),
    close: async () => {
      db.close();
      folder.remove();
    },
  };
}

/** Opens a table on PostgreSQL, in a schema that does not exist yet. */
export async function openPostgresTable(schema: PostgresSchema, resource: Resource, reads?: number) {
  const database = openDatabase(schema.address);
  await migrate(database, schema.address, storeMigrations);
  await keepResourceTables(database, schema.address, [resource]);
  const declarations = await Declarations.open(database, schema.address, [resource]);
  const { slots } = declarations;
  const pages = new PostgresPages(resource, slots, reads);
  const present = new Map<number, Shelf>();
  const table: ListTable = {
    read: (listing) => pages.read(database, listing),
    insert: async (record) => {
      present.set(record.id, record);
      await writeRecords(database, slots, resource, [{ after: record }]);
    },
    remove: async (id) => {
      const before = present.get(id);
      present.delete(id);
      if (before) await writeRecords(database, slots, resource, [{ before }]);
    },
    fill: async (records) => {
      present.clear();
      for (const record of records) present.set(record.id, record);
      await database.transaction(async ({ query }) => {
        await query("DELETE FROM shelves");
        await query("DELETE FROM warren_entries");
      });
      await writeRecords(
        database,
        slots,
        resource,
        records.map((after) => ({ after })),
      );
    },
    close: async () => {
      await declarations.close();
      await database.close();
      await schema.drop();
    },
  };
  return { ...table, database, slots };
}
