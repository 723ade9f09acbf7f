import { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import type { Resource } from "../../../schema/resource";
import type { MoveSource, SourceState } from "../../moving/move-source";
import { type BulkTable, bulkColumns, type MovedRow, type SmallKind, smallColumns } from "../../moving/moved-tables";
import { newestVersionOf } from "../../upcasting";
import { cannotOpen } from "../connection/connection";
import { acquireLock, type Lock, lockFileOf } from "../connection/lock";
import { forgetMove, noteMove } from "../connection/moved-away";
import { databaseFiles, refuseForeign } from "../connection/private-file";
import { logIdOf } from "../log/log-reader";
import { relayedIn } from "../relay/relay-position";
import { refuseNewer, schemaVersionOf, storeMigrations } from "../schema/migrations";
import { checkPlurals, recordTablesIn } from "../schema/plurals";
import { partOf } from "./parts";

const names = {
  ...{ events: "events", answers: "idempotency_keys", timers: "warren_timers", relayTimes: "relay_times" },
  ...{ subscriptions: "subscriptions", retryQueues: "retry_queues", refusals: "refused_announcements", replays: "warren_replays" },
  ...{ schedules: "warren_schedules", recordChecks: "warren_record_checks", relayTrouble: "relay_trouble" },
} as const satisfies Record<Exclude<BulkTable["kind"], "records"> | SmallKind, string>;

export interface MoveSourceOptions {
  /** True to keep other processes from serving the database until it is closed. */
  readonly locked: boolean;
  /** Maximum number of rows of a part. Default: 4,000. */
  readonly partRows?: number;
}

/**
 * Opens a database to copy it elsewhere, as of now. Never writes to it.
 *
 * @throws {Error} if a process serves it, it is not of this version of the program, or it cannot be opened.
 */
export function openMoveSource(file: string, resources: readonly Resource[], { locked, partRows = 4000 }: MoveSourceOptions): MoveSource {
  if (!existsSync(file)) throw new Error(`There is no database ${file}. Check the path, and in which folder the command runs.`);
  let lock: Lock | undefined;
  let db: Database | undefined;
  try {
    refuseForeign(file);
    lock = locked ? lockOf(file) : undefined;
    db = new Database(file, { readonly: true, strict: true });
    // All reads see one state, whatever other programs do to the file.
    db.run("BEGIN");
    checkVersion(db, file);
    checkPlurals(db, resources);
    return sourceOf(db, file, resources, lock, partRows);
  } catch (error) {
    db?.close();
    lock?.release();
    throw cannotOpen(file, error);
  }
}

function lockOf(file: string): Lock {
  const lock = acquireLock(lockFileOf(file));
  if (lock) return lock;
  throw new Error(
    `The database ${file} is in use, by an API, an import or another move. Stop it first: nothing may change while it is moved.`,
  );
}

function checkVersion(db: Database, file: string): void {
  const version = schemaVersionOf(db);
  refuseNewer(version, file, storeMigrations);
  if (version === storeMigrations.length) return;
  if (version === 0) throw new Error(`The database ${file} has no data of Warren.`);
  throw new Error(
    `The database ${file} was last used by an older version of Warren: it has schema version ${version} of ${storeMigrations.length}. ` +
      "Start the API of this version with it once, which upgrades it, and stop the API again.",
  );
}

function sourceOf(db: Database, file: string, resources: readonly Resource[], lock: Lock | undefined, partRows: number): MoveSource {
  const tables = tablesOf(db, resources);
  const declared = new Set(resources.map(({ plural }) => plural));
  return {
    shown: file,
    bytes: databaseFiles(file).reduce((sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0), 0),
    state: stateOf(db, tables),
    tables: tables.map((table) => ({ table, rows: countIn(db, sqlNameOf(table)) })),
    undeclared: recordTablesIn(db)
      .filter((table) => !declared.has(table))
      .map((table) => ({ table, records: countIn(db, table) }))
      .filter(({ records }) => records > 0),
    parts: (table, after) => partsOf(db, table, after, partRows),
    rowsUpTo: (table, key) => countIn(db, sqlNameOf(table), `${bulkColumns[table.kind][0]} <= ${key}`),
    small: (kind) => {
      const columns = smallColumns[kind].join(", ");
      return db.query<MovedRow, []>(`SELECT ${columns} FROM ${names[kind]} ORDER BY ${columns}`).all();
    },
    retire: (to) => noteMove(file, to),
    reinstate: () => forgetMove(file),
    close() {
      db.close();
      lock?.release();
    },
  };
}

function tablesOf(db: Database, resources: readonly Resource[]): BulkTable[] {
  const present = new Set(recordTablesIn(db));
  const records = resources
    .filter(({ plural }) => present.has(plural))
    .map((resource) => ({ kind: "records", resource, shape: shapeOf(db, resource), lastId: lastUsedIn(db, resource.plural) }) as const);
  return [...records, { kind: "events" }, { kind: "answers" }, { kind: "timers" }, { kind: "relayTimes" }];
}

/**
 * Returns the number of the schema that the records of a resource are in.
 *
 * @throws {Error} if a newer program wrote them.
 */
function shapeOf(db: Database, resource: Resource): number {
  const known = db.query<{ version: number }, [string]>("SELECT version FROM warren_record_versions WHERE resource = ?").get(resource.name);
  const newest = newestVersionOf(resource);
  const shape = known?.version ?? (countIn(db, resource.plural) > 0 ? 1 : newest);
  if (shape <= newest) return shape;
  throw new Error(
    `The records of "${resource.name}" have schema version ${shape}, but this program knows versions up to ${newest}: they were last used by a ` +
      "newer version of the program. Move them with that version.",
  );
}

function stateOf(db: Database, tables: readonly BulkTable[]): SourceState {
  const end = lastUsedIn(db, names.events);
  const first = db.query<{ position: number | null }, []>("SELECT min(position) AS position FROM events").get()?.position;
  const shapes = tables.flatMap((table) => (table.kind === "records" ? [table.resource.plural, table.shape, table.lastId] : []));
  // Answers and timers are added and removed without an event.
  const numbered = [names.answers, names.timers].map((name) =>
    db.query(`SELECT count(*) AS count, min(number) AS first, max(number) AS last FROM "${name}"`).get(),
  );
  return {
    logId: logIdOf(db),
    end,
    pruned: (first ?? end + 1) - 1,
    relayed: relayedIn(db),
    fingerprint: JSON.stringify([shapes, numbered, countIn(db, names.relayTimes)]),
  };
}

function sqlNameOf(table: BulkTable): string {
  return table.kind === "records" ? table.resource.plural : names[table.kind];
}

function countIn(db: Database, table: string, where = "true"): number {
  return db.query<{ rows: number }, []>(`SELECT count(*) AS rows FROM "${table}" WHERE ${where}`).get()?.rows ?? 0;
}

/** Returns the greatest key that a table has ever used, also for rows that are deleted. */
function lastUsedIn(db: Database, table: string): number {
  return db.query<{ seq: number }, [string]>("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table)?.seq ?? 0;
}

/** Reads the rows of a table after a key, in parts. */
function* partsOf(db: Database, table: BulkTable, after: number, partRows: number): Generator<MovedRow[]> {
  const columns = bulkColumns[table.kind].map((column) =>
    column === "shape" && table.kind === "records" ? `${table.shape} AS shape` : column,
  );
  const [key] = bulkColumns[table.kind];
  const rows = db.prepare<MovedRow, [number, number]>(
    `SELECT ${columns.join(", ")} FROM "${sqlNameOf(table)}" WHERE ${key} > ? ORDER BY ${key} LIMIT ?`,
  );
  try {
    for (let last: number | undefined = after; last !== undefined; ) {
      const part = partOf(rows.iterate(last, partRows));
      last = part.at(-1)?.[key] as number | undefined;
      if (part.length > 0) yield part;
    }
  } finally {
    rows.finalize();
  }
}
