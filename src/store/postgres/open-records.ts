import type { PostgresAddress } from "../../config/postgres-url";
import type { Tracing } from "../../observe/tracing";
import type { Resource } from "../../schema/resource";
import type { OnBuilt } from "../broken-declarations";
import { checkRecords } from "../changes/record-checks";
import type { Store } from "../store";
import { clockOf } from "./changes/clock";
import { commitFunction } from "./commit/commit-function";
import { keepCommitFunction, keepEveryMs } from "./commit/keep-function";
import { placeOf } from "./connection/place";
import type { Database } from "./connection/queries";
import { Lists } from "./lists/lists";
import { layoutsOf, type RecordStore, recordStore } from "./record-store";
import { checkedRecords } from "./records/record-checks";
import { keepResourceTables } from "./records/resource-tables";
import { lockKey, migrate, storeMigrations } from "./schema/migrations";
import { Declarations } from "./slots/declarations";
import { Slots } from "./slots/slots";
import { upcastOutdated, upcastRecords } from "./upcasts";
import { writeCheck } from "./write-check";

export interface RecordsOptions {
  /** Creates a span for each event. Default: no tracing. */
  readonly tracing?: Pick<Tracing, "create"> | undefined;
  /** Called while opening takes long, because entries of existing records are made. Default: does nothing. */
  readonly onBuilt?: OnBuilt | undefined;
  /** Called after commits that added events. */
  readonly onAppend: () => void;
}

/** The records of a schema, opened. */
export interface OpenRecords extends Omit<RecordStore, "commits" | "tables">, Pick<Store, "list" | "logId" | "checkRecords" | "check"> {}

/** How often to look for records that older programs have written, in milliseconds. */
const outdatedEveryMs = 5000;

/**
 * Opens the records in a PostgreSQL schema. Creates the schema and the tables of the resources if necessary, and upgrades them and the
 * records. Other processes may have it open, also of an older version of the program.
 *
 * @throws {Error} if the server is too old, a newer program wrote the schema or the records, stored records break a declaration, or the
 *   role lacks a right.
 */
export async function openRecords(
  database: Database,
  address: PostgresAddress,
  resources: readonly Resource[],
  { tracing, onBuilt, onAppend }: RecordsOptions,
): Promise<OpenRecords> {
  await migrate(database, address, storeMigrations);
  await keepResourceTables(database, address, resources);
  const locks = { commit: lockKey(address.schema, "commit"), ids: lockKey(address.schema, "ids") };
  const layouts = layoutsOf(resources);
  const keepFunction = () => keepCommitFunction(database, commitFunction(layouts, locks), lockKey(address.schema, "migrate"));
  await keepFunction();
  const clock = await clockOf(database);
  const open = (slots: Slots, lists: Lists) =>
    recordStore(layouts, {
      database,
      place: placeOf(address),
      schema: address.schema,
      slots,
      lists,
      locks,
      keepFunction,
      clock,
      tracing,
      onAppend,
    });
  // Before new declarations, which are checked with the records in their newest shape.
  const before = await Slots.load(database);
  const earlier = open(before, new Lists(database, before, resources));
  await upcastRecords({ ...earlier, database, lock: locks.commit });
  await earlier.close();
  const declarations = await Declarations.open(database, address, resources, onBuilt);
  try {
    return await openDeclared({ database, resources, declarations, open, lock: locks.commit, keepFunction });
  } catch (error) {
    await declarations.close();
    throw error;
  }
}

interface Declared {
  readonly database: Database;
  readonly resources: readonly Resource[];
  readonly declarations: Declarations;
  readonly open: (slots: Slots, lists: Lists) => RecordStore;
  /** Key of the commit lock. */
  readonly lock: string;
  readonly keepFunction: () => Promise<void>;
}

/** Opens records whose declarations are in the database. */
async function openDeclared({ database, resources, declarations, open, lock, keepFunction }: Declared): Promise<OpenRecords> {
  const lists = new Lists(database, declarations.slots, resources);
  const { commits, tables, close, ...records } = open(declarations.slots, lists);
  const upcasting = { database, commits, tables, lock };
  await upcastOutdated(upcasting);
  const [{ logId } = { logId: "" }] = await database.query<{ logId: string }>('SELECT log_id AS "logId" FROM meta');
  const timers = [every(outdatedEveryMs, () => upcastOutdated(upcasting)), every(keepEveryMs, keepFunction)];
  return {
    ...records,
    list: lists.list,
    logId,
    checkRecords: (onProgress) => checkRecords(checkedRecords(database), resources, onProgress),
    check: writeCheck(database),
    async close() {
      for (const timer of timers) clearInterval(timer);
      await close();
      await declarations.close();
    },
  };
}

/** Repeats work that may fail, and does not keep the process running. */
function every(ms: number, work: () => Promise<unknown>): Timer {
  return setInterval(() => void work().catch(() => {}), ms).unref();
}
