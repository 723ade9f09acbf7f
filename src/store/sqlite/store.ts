import type { Database } from "bun:sqlite";
import { noTracing, type Tracing } from "../../observe/tracing";
import type { Recorded } from "../../schema/record";
import { inList } from "../../schema/refused-change";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import type { ChangeContext, GuardedContext } from "../change-context";
import type { Listing, Page } from "../listing";
import type { LogReader } from "../log";
import type { InsertOutcome, Store } from "../store";
import type { Stored } from "../stored";
import { AdaptiveCommitter } from "./adaptive-committer";
import { BatchWriter } from "./batch-writer";
import { CommitClock } from "./commit-clock";
import { Constraints } from "./constraints";
import { erasing } from "./erasing";
import { EventAppender } from "./event-appender";
import { eventFinder } from "./event-record";
import { GroupCommit } from "./group-commit";
import { deletedStates, sqliteHistory, usedIds } from "./history";
import { IdempotencyKeys } from "./idempotency-keys";
import { importsInto } from "./imports";
import type { Lock } from "./lock";
import { lockPatienceMs, whenUnlocked } from "./lock-wait";
import { logIdOf, newestEvents, sqliteLogReader } from "./log-reader";
import { hasMoved } from "./moved";
import { type OnceIn, onceIn } from "./once";
import { openLocked } from "./open-locked";
import { PendingTables } from "./pending-entries";
import { checkPlurals } from "./plurals";
import { pruner } from "./prune";
import { replaysIn, savedRetryQueues, subscriptionsIn } from "./queue-tables";
import { RecordChanges } from "./record-changes";
import { checkRecords } from "./record-checks";
import { upcastRecords } from "./record-versions";
import { refusalsIn } from "./refusal-table";
import { relayPosition } from "./relay-position";
import { savedRelayTrouble } from "./relay-trouble";
import { Table } from "./resource-table";
import { keepSearchTables } from "./search-table";
import type { OnBuilt } from "./side-tables";
import { Snapshot } from "./snapshot";
import { transactionsIn } from "./transaction-commits";
import { writeCheck } from "./write-check";

export interface StoreOptions {
  /** Creates a span for each event. Default: no tracing. */
  readonly tracing?: Pick<Tracing, "create"> | undefined;
  /** When commits take longer than this, in seconds, they move to a separate thread. Default: all run on the caller's thread. */
  readonly quickCommitSeconds?: number | undefined;
  /** How long a change waits for another process's lock, in milliseconds. Default: {@link lockPatienceMs}. */
  readonly patienceMs?: number | undefined;
  /** Called while opening takes long, because a table derived from the records is built. Default: does nothing. */
  readonly onBuilt?: OnBuilt | undefined;
  /** Number of changes of unique values and references after which they are written to their tables. Default: {@link journalAtMost}. */
  readonly journalAtMost?: number | undefined;
}

/**
 * Opens the embedded store. Creates the database and its folder if necessary, and upgrades its schema and records.
 *
 * @throws {Error} if another process serves this database, a newer program wrote it, or it cannot be opened. If another process
 *   locks the database, the cause is `SQLITE_BUSY` ({@link whenUnlocked} waits for that).
 */
export function openSqliteStore(file: string, resources: readonly Resource[], options: StoreOptions = {}): SqliteStore {
  return openLocked(file, (db, lock) => new SqliteStore(db, resources, lock, options));
}

class SqliteStore implements Store {
  readonly log: LogReader;
  readonly history: Store["history"];
  readonly prune: Store["prune"];
  readonly importEach: Store["importEach"];
  readonly erase: Store["erase"];
  readonly logId: string;
  readonly tally: Store["tally"];
  readonly find: Store["find"];
  readonly check: Store["check"];
  readonly relayed: Store["relayed"];
  readonly relayTrouble: Store["relayTrouble"];
  readonly subscriptions: Store["subscriptions"];
  readonly retryQueues: Store["retryQueues"];
  readonly replays: Store["replays"];
  readonly refusals: Store["refusals"];
  readonly checkRecords: Store["checkRecords"];
  readonly transaction: Store["transaction"];
  /** One process serves a SQLite database, so it leads each task at once and for as long as it likes. */
  readonly lead: Store["lead"] = (_task, stop, work) => work(stop);

  readonly #db: Database;
  readonly #lock: Lock;
  readonly #commits: GroupCommit;
  readonly #snapshot: Snapshot;
  readonly #once: OnceIn["once"];
  readonly #change: OnceIn["change"];
  readonly #constraints: Constraints;
  readonly #records: RecordChanges;
  readonly #listeners = new Set<() => void>();
  readonly #events: EventAppender;

  constructor(
    db: Database,
    resources: readonly Resource[],
    lock: Lock,
    {
      tracing = noTracing,
      quickCommitSeconds = Number.POSITIVE_INFINITY,
      patienceMs = lockPatienceMs,
      onBuilt = () => {},
      journalAtMost,
    }: StoreOptions,
  ) {
    this.#lock = lock;
    this.#db = db;
    this.#commits = new GroupCommit(
      ({ sql }, report) => new AdaptiveCommitter(new BatchWriter(db, sql), { quickSeconds: quickCommitSeconds, patienceMs }, report),
      {
        together: (changes) => this.#snapshot.during(changes),
        beforeCommit: () => this.#snapshot.release(),
        newestEvents: newestEvents(db),
        afterAnswers: () => this.#tell(),
      },
    );
    this.#snapshot = new Snapshot(this.#db, () => !this.#commits.isUnderWay);
    const { uncommitted } = this.#commits;
    checkPlurals(db, resources);
    const pending = new PendingTables();
    const tables = new Map(resources.map((resource) => [resource.name, new Table(db, uncommitted, resource, pending)]));
    upcastRecords(this.#db, resources);
    this.#constraints = new Constraints(db, resources, tables, { commits: this.#commits, pending, onBuilt, journalAtMost });
    keepSearchTables(db, resources, onBuilt);
    this.checkRecords = (onProgress) => whenUnlocked(() => checkRecords(this.#db, resources, onProgress));
    const keys = new IdempotencyKeys(this.#db, uncommitted);
    ({ once: this.#once, change: this.#change } = onceIn(this.#commits, keys));
    const clock = new CommitClock(db, resources);
    this.#events = new EventAppender(uncommitted, resources, clock, tracing);
    const deleted = deletedStates(db);
    this.#records = new RecordChanges(tables, { uncommitted, clock, events: this.#events, constraints: this.#constraints, deleted });
    const [commits, snapshot, records, constraints] = [this.#commits, this.#snapshot, this.#records, this.#constraints];
    this.transaction = transactionsIn({ commits, snapshot, records, keys, constraints });
    const prune = pruner(this.#db, uncommitted);
    this.prune = (before, position) => this.#commits.run(() => prune(before, position));
    this.check = writeCheck(this.#commits);
    this.tally = { commits: this.#commits.tally, appended: this.#events.tally };
    this.log = sqliteLogReader(this.#db);
    this.history = sqliteHistory(this.#db);
    this.erase = erasing({ db, resources, commits, records, constraints, events: this.#events });
    this.importEach = importsInto(this.#commits, this.#records, usedIds(db));
    this.logId = logIdOf(this.#db);
    this.find = eventFinder(this.#db);
    this.relayed = relayPosition(this.#db, this.#commits);
    this.relayTrouble = savedRelayTrouble(this.#db, this.#commits);
    this.subscriptions = subscriptionsIn(this.#db, this.#commits);
    this.retryQueues = savedRetryQueues(this.#db, this.#commits);
    this.refusals = refusalsIn(this.#db, this.#commits);
    this.replays = replaysIn(this.#db, this.#commits, this.logId);
  }

  insert<T extends ResourceTypes>(resource: Resource<T>, fields: Proposed<T>, context?: ChangeContext<T["events"]>): Promise<Stored> {
    return this.#change(context?.once, () => this.#records.insert(resource, fields, context));
  }

  insertAll<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: readonly Proposed<T>[],
    answerOf: (created: readonly Stored[]) => string,
    { once, ...context }: ChangeContext = {},
  ): Promise<string> {
    const insert = (each: object, index: number) => inList(index, () => this.#records.insert(resource, each, context));
    return this.#once(once, () => answerOf(fields.map(insert)));
  }

  insertEach<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: readonly Proposed<T>[],
    answerOf: (outcomes: readonly InsertOutcome[]) => string,
    { once, ...context }: ChangeContext = {},
  ): Promise<string> {
    return this.#once(once, () => answerOf(fields.map((each) => this.#records.tryInsert(resource, each, context))));
  }

  update<T extends ResourceTypes>(
    resource: Resource<T>,
    id: number,
    change: (current: Recorded<T["fields"]>) => Proposed<T>,
    context?: GuardedContext<T["events"]>,
  ): Promise<Stored | undefined> {
    return this.#change(context?.once, () => this.#records.update(resource, id, change, context));
  }

  remove<T extends ResourceTypes>(resource: Resource<T>, id: number, context?: GuardedContext<T["events"]>): Promise<Stored | undefined> {
    return this.#change(context?.once, () => this.#records.remove(resource, id, context));
  }

  restore<T extends ResourceTypes>(resource: Resource<T>, id: number, context?: GuardedContext<T["events"]>): Promise<Stored | undefined> {
    return this.#change(context?.once, () => this.#records.restore(resource, id, context));
  }

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    return this.#snapshot.read(() => this.#records.table(resource).get(id));
  }

  async getAll(resource: Resource, ids: readonly number[]): Promise<Stored[]> {
    const table = this.#records.table(resource);
    return this.#snapshot.read(() => table.getAll(ids));
  }

  async findByKey<T extends ResourceTypes>(resource: Resource<T>, name: string, values: Partial<T["fields"]>): Promise<Stored | undefined> {
    const table = this.#records.table(resource);
    return this.#snapshot.read(() => {
      const id = this.#constraints.findByKey(resource, name, values);
      return id === undefined ? undefined : table.get(id);
    });
  }

  async list(resource: Resource, listing: Listing): Promise<Page> {
    return this.#snapshot.read(() => this.#records.table(resource).list(listing));
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  isReplaced(): boolean {
    return hasMoved(this.#db);
  }

  async close(): Promise<void> {
    await this.#constraints.journal.stop();
    await this.#commits.close();
    this.#snapshot.release();
    this.#db.close();
    this.#lock.release();
  }

  #tell(): void {
    if (!this.#events.hasAppended()) return;
    for (const listener of this.#listeners) listener();
  }
}
