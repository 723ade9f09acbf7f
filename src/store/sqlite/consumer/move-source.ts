import { Database } from "bun:sqlite";
import { type ConsumerMoveSource, type ConsumerTable, consumerColumns, type OwnRow, type OwnTable } from "../../moving/consumer-move";
import type { MovedRow } from "../../moving/moved-tables";
import { cannotOpen } from "../connection/connection";
import { acquireLock, type Lock, lockFileOf } from "../connection/lock";
import { isBusy } from "../connection/lock-wait";
import { forgetMove, noteMove } from "../connection/moved-away";
import { refuseForeign } from "../connection/private-file";
import { partOf } from "../moving/parts";
import { checkConsumerVersion } from "./file";

/** Maximum number of rows of a part. */
const partRows = 4000;

/** SQL of the tables, where it differs from the names of their columns. */
const progressColumns = "log_id AS logId, position, begun";
const followsColumns = "log_id AS logId, start, types";

/**
 * Opens a consumer's file to copy it elsewhere, as of now. Never changes what is in it.
 *
 * @param options.locked whether to keep the consumer from running until it is closed.
 * @throws {Error} if the consumer runs, the file is not of this version of the program, or it cannot be opened.
 */
export function openConsumerMoveSource(queue: string, file: string, { locked }: { locked: boolean }): ConsumerMoveSource {
  let lock: Lock | undefined;
  let db: Database | undefined;
  try {
    refuseForeign(file);
    lock = locked ? (acquireLock(lockFileOf(file)) ?? refuseRunning(queue)) : undefined;
    const whole = locked ? openAlone(file) : undefined;
    db = whole ?? openReading(file);
    checkConsumerVersion(db, file);
    const source = sourceOf(db, queue, file, lock);
    // With RabbitMQ, a consumer takes no lock. Without an inbox or tables, it has nothing in the file that it misses.
    if (locked && !whole && (source.rows.inbox > 0 || source.own.length > 0)) refuseRunning(queue);
    return source;
  } catch (error) {
    db?.close();
    lock?.release();
    throw cannotOpen(file, error);
  }
}

function refuseRunning(queue: string): never {
  throw new Error(`The consumer of "${queue}" is running. Stop it first: nothing may change while it is moved.`);
}

function openReading(file: string): Database {
  const db = new Database(file, { readonly: true, strict: true, safeIntegers: true });
  db.run("BEGIN");
  return db;
}

/** Opens a file so that no other process can. Returns undefined if one has it open. */
function openAlone(file: string): Database | undefined {
  const db = new Database(file, { readwrite: true, strict: true, safeIntegers: true });
  try {
    for (const sql of ["PRAGMA busy_timeout = 0", "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"]) db.run(sql);
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function sourceOf(db: Database, queue: string, file: string, lock: Lock | undefined): ConsumerMoveSource {
  const rows = Object.keys(consumerColumns).map((table) => [table, countIn(db, `warren_${table}`)]);
  return {
    queue,
    shown: file,
    rows: Object.fromEntries(rows) as ConsumerMoveSource["rows"],
    own: ownTablesIn(db),
    parts: (table) => partsOf(db, table),
    ownParts: (table) => ownPartsOf(db, table),
    retire: (to) => noteMove(file, to),
    reinstate: () => forgetMove(file),
    close() {
      db.close();
      lock?.release();
    },
  };
}

function* partsOf(db: Database, table: ConsumerTable): Generator<MovedRow[]> {
  const [key] = consumerColumns[table];
  const columns = { progress: progressColumns, follows: followsColumns }[table as string] ?? consumerColumns[table].join(", ");
  const read = db.prepare<Record<string, SqliteValue>, [string | number, number]>(
    `SELECT ${columns} FROM warren_${table} WHERE ${key === "logId" ? "log_id" : key} > ? ORDER BY 1 LIMIT ?`,
  );
  try {
    for (let last: string | number | undefined = key === "number" ? -1 : ""; last !== undefined; ) {
      const part: MovedRow[] = partOf(read.iterate(last, partRows)).map(movedRow);
      last = part.at(-1)?.[key] ?? undefined;
      if (part.length > 0) yield part;
    }
  } finally {
    // Otherwise the file stays open after it is closed.
    read.finalize();
  }
}

function movedRow(row: Record<string, SqliteValue>): MovedRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : (value as string | null)]),
  );
}

function ownTablesIn(db: Database): OwnTable[] {
  const tables = db
    .query<{ name: string }, []>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'warren\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND type <> 'shadow' AND type <> 'view' ORDER BY name",
    )
    .all();
  return tables.map(({ name }) => ({ name, columns: columnsOf(db, name), rows: countIn(db, name) }));
}

/** Returns the columns of a table, without those that are calculated. */
function columnsOf(db: Database, table: string): string[] {
  return db
    .query<{ name: string }, [string]>("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid")
    .all(table)
    .map(({ name }) => name);
}

function* ownPartsOf(db: Database, { name, columns }: OwnTable): Generator<OwnRow[]> {
  const read = db.prepare<Record<string, SqliteValue>, []>(`SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}`);
  const rows = read.iterate();
  try {
    for (let part = partOf(take(rows, partRows)); part.length > 0; part = partOf(take(rows, partRows)))
      yield part.map((row) => columns.map((column) => textOf(row[column] ?? null)));
  } finally {
    rows.return?.();
    read.finalize();
  }
}

type SqliteValue = string | number | bigint | Uint8Array | null;

/** Yields the next rows of an iterator, without ending it. */
function* take<Row>(rows: Iterator<Row>, count: number): Generator<Row> {
  for (let taken = 0; taken < count; taken += 1) {
    const { value, done } = rows.next();
    if (done) return;
    yield value;
  }
}

function textOf(value: SqliteValue): string | null {
  if (value === null || typeof value === "string") return value;
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : String(value);
}

function countIn(db: Database, table: string): number {
  return Number(db.query<{ rows: bigint }, []>(`SELECT count(*) AS rows FROM ${quoted(table)}`).get()?.rows ?? 0);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
