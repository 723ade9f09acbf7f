import { Database, type Statement } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { eventVersion, serializeEvent } from "../domain/event";
import type { Change, Recorded, Resource } from "../domain/resource";
import { count } from "../observe/tally";
import { noTracing, type Span, type Tracing } from "../observe/tracing";
import { GroupCommit, Refused } from "./group-commit";
import { acquireLock, type Lock } from "./lock";
import { logIdOf, reading, sqliteLogReader } from "./log-reader";
import { migrate, storeMigrations } from "./migrations";
import { replaysIn, subscriptionsIn } from "./queue-tables";
import type { ChangeContext, LogReader, Store, Stored } from "./store";
import { Table } from "./table";

/**
 * Opens the embedded store, makes its folder and brings its schema up to date.
 *
 * @throws {Error} when another process serves this database, a newer program wrote it, or it cannot be opened.
 */
export function openSqliteStore(file: string, resources: readonly Resource[], tracing: Pick<Tracing, "create"> = noTracing): SqliteStore {
  try {
    return lockAndOpen(file, resources, tracing);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    // SQLite and the file system do not say which file they mean.
    throw new Error(`The database ${file} cannot be opened: ${error.message}. DATABASE_URL says where it is.`, { cause: error });
  }
}

function lockAndOpen(file: string, resources: readonly Resource[], tracing: Pick<Tracing, "create">): SqliteStore {
  mkdirSync(dirname(file), { recursive: true });
  const lock = acquireLock(`${file}.lock`);
  if (!lock) {
    throw new Error(
      `The database ${file} is in use by another Warren API. One process serves a SQLite database: ` +
        "stop the other one, or give this one a file of its own in DATABASE_URL.",
    );
  }
  try {
    return new SqliteStore(file, resources, lock, tracing);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly log: LogReader;
  readonly logId: string;
  readonly tally: Store["tally"];
  readonly relayed = {
    load: async () => this.#db.query<{ position: number }, []>("SELECT position FROM relay").get()?.position ?? 0,
    save: (position: number) =>
      this.#commits.run(() => {
        this.#saveRelayed.run(position);
      }),
  };

  readonly subscriptions: Store["subscriptions"];
  readonly replays: Store["replays"];

  readonly #db: Database;
  readonly #lock: Lock;
  readonly #commits: GroupCommit;
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Set<() => void>();
  readonly #append: Statement;
  readonly #saveRelayed: Statement;
  readonly #tracing: Pick<Tracing, "create">;
  readonly #appendedByType = new Map<string, number>();
  /** The types of the events that the next commit adds. */
  #appended: string[] = [];
  /** Those of the same events. */
  #spans: Span[] = [];

  constructor(file: string, resources: readonly Resource[], lock: Lock, tracing: Pick<Tracing, "create">) {
    this.#tracing = tracing;
    this.#lock = lock;
    this.#db = new Database(file, { create: true, strict: true });
    // FULL: a commit is on disk, through a power cut, before it is answered.
    for (const pragma of ["busy_timeout = 2000", "journal_mode = WAL", "synchronous = FULL"]) this.#db.run(`PRAGMA ${pragma}`);
    migrate(this.#db, file, storeMigrations);
    for (const resource of resources) {
      this.#tables.set(resource.name, new Table(this.#db, resource.plural));
      for (const type of resource.eventTypes) this.#appendedByType.set(type, 0);
    }
    this.#append = this.#db.prepare("INSERT INTO events (id, type, subject, timestamp, body, traceparent) VALUES (?, ?, ?, ?, ?, ?)");
    this.#saveRelayed = this.#db.prepare("UPDATE relay SET position = ?");
    this.#commits = new GroupCommit(
      this.#db,
      () => this.#afterCommit(),
      () => {
        this.#appended = [];
        this.#spans = [];
      },
    );
    this.tally = { commits: this.#commits.tally, appended: this.#appendedByType };
    this.log = sqliteLogReader(this.#db);
    this.logId = logIdOf(this.#db);
    this.subscriptions = subscriptionsIn(this.#db, this.#commits);
    this.replays = replaysIn(this.#db, this.#commits, this.logId);
  }

  insert<Fields extends object>(resource: Resource<string, string, Fields>, fields: Fields, context?: ChangeContext): Promise<Stored> {
    const table = this.#table(resource);
    return this.#commits.run(() => {
      const now = new Date().toISOString();
      const id = table.lastId() + 1;
      const stored = serialize(resource, id, fields, 1, now, now);
      table.insert(stored);
      this.#appendEvent(resource, "created", stored, now, context);
      return stored;
    });
  }

  update<Fields extends object>(
    resource: Resource<string, string, Fields>,
    id: number,
    change: (current: Recorded<Fields>) => Fields,
    context?: ChangeContext,
  ): Promise<Stored | undefined> {
    const table = this.#table(resource);
    return this.#commits.run(() => {
      const current = table.get(id);
      if (!current) return undefined;
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

  remove(resource: Resource, id: number, context?: ChangeContext): Promise<Stored | undefined> {
    const table = this.#table(resource);
    return this.#commits.run(() => {
      const last = table.get(id);
      if (!last) return undefined;
      table.remove(id);
      this.#appendEvent(resource, "deleted", last, new Date().toISOString(), context);
      return last;
    });
  }

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    return reading(() => this.#table(resource).get(id));
  }

  async list(resource: Resource, after: number, limit: number): Promise<Stored[]> {
    return reading(() => this.#table(resource).list(after, limit));
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  prune(before: string, position: number): Promise<number> {
    return this.#commits.run(
      // A prefix only, and a bounded one, so that pruning never holds up a commit for long.
      () =>
        this.#db
          .query(
            "DELETE FROM events WHERE position IN (SELECT position FROM events WHERE position <= ? ORDER BY position LIMIT 1000) AND timestamp < ?",
          )
          .run(position, before).changes,
    );
  }

  async check(): Promise<void> {
    await this.#commits.run(() => this.#db.run("UPDATE relay SET position = position"));
  }

  async close(): Promise<void> {
    this.#commits.flush();
    this.#db.close();
    this.#lock.release();
  }

  #table(resource: Resource): Table {
    const table = this.#tables.get(resource.name);
    if (!table) throw new Error(`The store was opened without the resource "${resource.name}"; export it from a file in src/domain/.`);
    return table;
  }

  #appendEvent(resource: Resource, change: Change, stored: Stored, timestamp: string, context?: ChangeContext): void {
    const id = Bun.randomUUIDv7();
    const type = `${resource.name}.${change}`;
    const body = serializeEvent({ id, type, version: eventVersion, timestamp }, resource.name, stored.json);
    const span = this.#tracing.create({ id, type }, context?.traceparent);
    this.#append.run(id, type, stored.id, timestamp, body, span.traceparent ?? context?.traceparent ?? null);
    this.#spans.push(span);
    this.#appended.push(type);
  }

  #afterCommit(): void {
    if (this.#appended.length === 0) return;
    for (const type of this.#appended) count(this.#appendedByType, type);
    this.#appended = [];
    for (const span of this.#spans.splice(0)) span.end();
    for (const listener of this.#listeners) listener();
  }
}

/** Serializes a record once: these bytes are the row, the part of the event and the answer. */
function serialize(resource: Resource, id: number, fields: object, version: number, createdAt: string, updatedAt: string): Stored {
  const record: Record<string, unknown> = { id };
  for (const name of Object.keys(resource.fields.properties)) record[name] = (fields as Record<string, unknown>)[name];
  record["version"] = version;
  record["createdAt"] = createdAt;
  record["updatedAt"] = updatedAt;
  return { id, version, json: JSON.stringify(record) };
}

function refusable<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw new Refused("refused", { cause: error });
  }
}
