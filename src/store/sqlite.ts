import { Database, type Statement } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { serializeEvent } from "../domain/event";
import { checkEmitted, versionOf } from "../domain/event-type";
import type { Filters } from "../domain/filter";
import type { Change, EventData, Recorded, Resource } from "../domain/resource";
import { count } from "../observe/tally";
import { eventFinder } from "./event-record";
import { GroupCommit, refusable } from "./group-commit";
import { IdempotencyKeys } from "./idempotency-keys";
import { acquireLock, type Lock } from "./lock";
import { logIdOf, sqliteLogReader } from "./log-reader";
import { migrate, storeMigrations } from "./migrations";
import { prune } from "./prune";
import { replaysIn, savedRetryQueues, subscriptionsIn } from "./queue-tables";
import { upcastRecords } from "./record-versions";
import { relayPosition } from "./relay-position";
import { serialize } from "./serialize";
import { Snapshot } from "./snapshot";
import type { ChangeContext, GuardedContext, Listing, LogReader, OnceContext, Page, Store, Stored } from "./store";
import { Table } from "./table";

/**
 * Opens the embedded store, makes its folder and brings its schema up to date.
 *
 * @throws {Error} when another process serves this database, a newer program wrote it, or it cannot be opened.
 */
export function openSqliteStore(file: string, resources: readonly Resource[]): SqliteStore {
  try {
    return lockAndOpen(file, resources);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    // SQLite and the file system do not say which file they mean.
    throw new Error(`The database ${file} cannot be opened: ${error.message}. DATABASE_URL says where it is.`, { cause: error });
  }
}

function lockAndOpen(file: string, resources: readonly Resource[]): SqliteStore {
  mkdirSync(dirname(file), { recursive: true });
  const lock = acquireLock(`${file}.lock`);
  if (!lock) {
    throw new Error(
      `The database ${file} is in use by another Warren API. One process serves a SQLite database: ` +
        "stop the other one, or give this one a file of its own in DATABASE_URL.",
    );
  }
  try {
    return new SqliteStore(file, resources, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly log: LogReader;
  readonly logId: string;
  readonly tally: Store["tally"];
  readonly find: Store["find"];
  readonly relayed: Store["relayed"];
  readonly subscriptions: Store["subscriptions"];
  readonly retryQueues: Store["retryQueues"];
  readonly replays: Store["replays"];

  readonly #db: Database;
  readonly #lock: Lock;
  readonly #commits: GroupCommit;
  readonly #snapshot: Snapshot;
  readonly #keys: IdempotencyKeys;
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Set<() => void>();
  readonly #append: Statement;
  readonly #appendedByType = new Map<string, number>();
  /** The types of the events that the next commit adds. */
  #appended: string[] = [];

  constructor(file: string, resources: readonly Resource[], lock: Lock) {
    this.#lock = lock;
    this.#db = new Database(file, { create: true, strict: true });
    // FULL: a commit is on disk, through a power cut, before it is answered.
    for (const pragma of ["busy_timeout = 2000", "journal_mode = WAL", "synchronous = FULL"]) this.#db.run(`PRAGMA ${pragma}`);
    migrate(this.#db, file, storeMigrations);
    for (const resource of resources) {
      this.#tables.set(resource.name, new Table(this.#db, resource));
      for (const type of resource.eventTypes) this.#appendedByType.set(type, 0);
    }
    upcastRecords(this.#db, resources);
    this.#keys = new IdempotencyKeys(this.#db);
    this.#append = this.#db.prepare(
      "INSERT INTO events (id, type, subject, timestamp, body, traceparent, requestId, requestedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#snapshot = new Snapshot(this.#db);
    this.#commits = new GroupCommit(this.#db, {
      begin: () => this.#snapshot.release(),
      committed: () => this.#afterCommit(),
      rolledBack: () => {
        this.#appended = [];
      },
    });
    this.tally = { commits: this.#commits.tally, appended: this.#appendedByType };
    this.log = sqliteLogReader(this.#db);
    this.logId = logIdOf(this.#db);
    this.find = eventFinder(this.#db);
    this.relayed = relayPosition(this.#db, this.#commits);
    this.subscriptions = subscriptionsIn(this.#db, this.#commits);
    this.retryQueues = savedRetryQueues(this.#db, this.#commits);
    this.replays = replaysIn(this.#db, this.#commits, this.logId);
  }

  insert<Fields extends object, Data extends EventData>(
    resource: Resource<string, string, Fields, Filters, Data>,
    fields: Fields,
    context?: ChangeContext<Data>,
  ): Promise<Stored> {
    const table = this.#table(resource);
    if (context?.emit) checkEmitted(resource, context.emit);
    return this.#commits.run(() => this.#insert(resource, table, fields, context));
  }

  insertAll<Fields extends object>(
    resource: Resource<string, string, Fields>,
    fields: readonly Fields[],
    answerOf: (created: readonly Stored[]) => string,
    { once, ...context }: OnceContext = {},
  ): Promise<string> {
    const table = this.#table(resource);
    if (context.emit) checkEmitted(resource, context.emit);
    const insertAll = () => answerOf(fields.map((each) => this.#insert(resource, table, each, context)));
    return this.#commits.run(() => (once ? this.#keys.answer(once, insertAll) : insertAll()));
  }

  update<Fields extends object, Data extends EventData>(
    resource: Resource<string, string, Fields, Filters, Data>,
    id: number,
    change: (current: Recorded<Fields>) => Fields,
    context?: GuardedContext<Data>,
  ): Promise<Stored | undefined> {
    const table = this.#table(resource);
    if (context?.emit) checkEmitted(resource, context.emit);
    return this.#commits.run(() => {
      const current = table.get(id);
      if (!current) return undefined;
      refusable(() => context?.guard?.(current));
      const record = JSON.parse(current.json) as Recorded<Fields>;
      const now = new Date().toISOString();
      const stored = serialize(
        resource,
        id,
        refusable(() => change(record)),
        current.version + 1,
        record.createdAt,
        now,
      );
      table.replace(stored);
      this.#appendEvent(resource, "updated", stored, now, context);
      return stored;
    });
  }

  remove<Data extends EventData>(
    resource: Resource<string, string, object, Filters, Data>,
    id: number,
    context?: GuardedContext<Data>,
  ): Promise<Stored | undefined> {
    const table = this.#table(resource);
    if (context?.emit) checkEmitted(resource, context.emit);
    return this.#commits.run(() => {
      const last = table.get(id);
      if (!last) return undefined;
      refusable(() => context?.guard?.(last));
      table.remove(id);
      this.#appendEvent(resource, "deleted", last, new Date().toISOString(), context);
      return last;
    });
  }

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    const table = this.#table(resource);
    return this.#snapshot.read(() => table.get(id));
  }

  async list(resource: Resource, listing: Listing): Promise<Page> {
    const table = this.#table(resource);
    return this.#snapshot.read(() => table.list(listing));
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  prune(before: string, position: number): Promise<number> {
    return this.#commits.run(() => prune(this.#db, before, position));
  }

  async check(): Promise<void> {
    await this.#commits.run(() => this.#db.run("UPDATE relay SET position = position"));
  }

  async close(): Promise<void> {
    this.#commits.flush();
    this.#snapshot.release();
    this.#db.close();
    this.#lock.release();
  }

  #table(resource: Resource): Table {
    const table = this.#tables.get(resource.name);
    if (!table) throw new Error(`The store was opened without the resource "${resource.name}"; export it from a file in src/domain/.`);
    return table;
  }

  #insert(resource: Resource, table: Table, fields: object, context?: ChangeContext): Stored {
    const now = new Date().toISOString();
    const id = table.lastId() + 1;
    const stored = serialize(resource, id, fields, 1, now, now);
    table.insert(stored);
    this.#appendEvent(resource, "created", stored, now, context);
    return stored;
  }

  #appendEvent(resource: Resource, change: Change, stored: Stored, timestamp: string, context?: ChangeContext): void {
    const { traceparent = null, requestId = null, requestedAt = null } = context ?? {};
    const append = (name: string, data?: object) => {
      const id = Bun.randomUUIDv7();
      const type = `${resource.name}.${name}`;
      const body = serializeEvent({ id, type, version: versionOf(resource, name), timestamp }, resource.name, stored.json, data);
      this.#append.run(id, type, stored.id, timestamp, body, traceparent, requestId, requestedAt);
      this.#appended.push(type);
    };
    append(change);
    if (context?.emit) for (const [name, data] of Object.entries(context.emit)) if (data) append(name, data);
  }

  #afterCommit(): void {
    if (this.#appended.length === 0) return;
    for (const type of this.#appended) count(this.#appendedByType, type);
    this.#appended = [];
    for (const listener of this.#listeners) listener();
  }
}
