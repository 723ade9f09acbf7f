import type { Database } from "bun:sqlite";
import { noTracing, type Tracing } from "../../observe/tracing";
import type { Resource, ResourceTypes } from "../../schema/resource";
import type { OnBuilt } from "../broken-declarations";
import type { Constraints } from "../changes/constraints";
import { CurrentRecords } from "../changes/current-records";
import { erasing } from "../changes/erasing";
import { EventAppender } from "../changes/event-appender";
import { IdempotencyKeys } from "../changes/idempotency-keys";
import { importsInto } from "../changes/imports";
import { onceIn } from "../changes/once";
import { ofResource, RecordChanges } from "../changes/record-changes";
import { checkRecords } from "../changes/record-checks";
import { singleChanges } from "../changes/single-changes";
import { tickPublisher } from "../changes/ticks";
import { TimerChanges } from "../changes/timer-changes";
import { firing } from "../changes/timer-firing";
import { transactionsIn } from "../changes/transaction-commits";
import { soleLeadership } from "../leadership";
import type { Listing, Page } from "../listing";
import type { LogReader } from "../log";
import type { Store } from "../store";
import type { Stored } from "../stored";
import { AnswerTable } from "./changes/answer-table";
import { clockOf } from "./changes/clock";
import { constraintsIn } from "./changes/constraint-tables";
import { eventWrites } from "./changes/event-writes";
import { PendingTables } from "./changes/pending-entries";
import { deletionLog, recordTraces } from "./changes/record-traces";
import { keepSearchTables } from "./changes/search-table";
import type { SideJournal } from "./changes/side-journal";
import { storedTimers } from "./changes/timer-table";
import { AdaptiveCommitter } from "./commit/adaptive-committer";
import { BatchWriter } from "./commit/batch-writer";
import { GroupCommit } from "./commit/group-commit";
import type { Lock } from "./connection/lock";
import { lockPatienceMs, whenUnlocked } from "./connection/lock-wait";
import { hasMoved } from "./connection/moved";
import { Snapshot } from "./connection/snapshot";
import { timerReads } from "./lists/timer-reads";
import { causedEvents } from "./log/causes";
import { eventFinder } from "./log/event-record";
import { deletedStates, sqliteHistory, usedIds } from "./log/history";
import { logIdOf, newestEvents, sqliteLogReader } from "./log/log-reader";
import { placedUpTo } from "./log/placed";
import { pruner } from "./log/prune";
import { openLocked } from "./open-locked";
import { checkedRecords } from "./records/record-checks";
import { upcastRecords } from "./records/record-versions";
import { replaysIn, savedRetryQueues, subscriptionsIn } from "./relay/queue-tables";
import { refusalsIn } from "./relay/refusal-table";
import { relayPosition } from "./relay/relay-position";
import { savedRelayTrouble } from "./relay/relay-trouble";
import { schedulesIn } from "./relay/schedule-table";
import { Table } from "./resource-table";
import { checkPlurals } from "./schema/plurals";
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
  readonly insert: Store["insert"];
  readonly insertAll: Store["insertAll"];
  readonly insertEach: Store["insertEach"];
  readonly update: Store["update"];
  readonly remove: Store["remove"];
  readonly restore: Store["restore"];
  readonly log: LogReader;
  readonly history: Store["history"];
  readonly timers: Store["timers"];
  readonly schedules: Store["schedules"];
  readonly prune: Store["prune"];
  readonly importEach: Store["importEach"];
  readonly erase: Store["erase"];
  readonly logId: string;
  readonly tally: Store["tally"];
  readonly find: Store["find"];
  readonly causedBy: Store["causedBy"];
  readonly check: Store["check"];
  readonly relayed: Store["relayed"];
  readonly relayTrouble: Store["relayTrouble"];
  readonly subscriptions: Store["subscriptions"];
  readonly retryQueues: Store["retryQueues"];
  readonly replays: Store["replays"];
  readonly refusals: Store["refusals"];
  readonly checkRecords: Store["checkRecords"];
  readonly transaction: Store["transaction"];
  readonly changing: Store["changing"];
  /** One process serves a SQLite database, so it leads each task at once and for as long as it likes. */
  readonly lead: Store["lead"] = async (_task, stop, work) => {
    if (!stop.aborted) await work(soleLeadership(stop));
  };

  readonly #db: Database;
  readonly #lock: Lock;
  readonly #commits: GroupCommit;
  readonly #snapshot: Snapshot;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #constraints: Constraints;
  readonly #journal: SideJournal;
  readonly #listeners = new Set<Parameters<Store["onAppend"]>[0]>();
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
        afterAnswers: (lastEvent) => this.#tell(lastEvent),
        onUnknown: () => this.#tell(undefined, true),
      },
    );
    this.#snapshot = new Snapshot(this.#db, () => !this.#commits.isUnderWay);
    const { uncommitted } = this.#commits;
    checkPlurals(db, resources);
    const pending = new PendingTables();
    this.#tables = new Map(resources.map((resource) => [resource.name, new Table(db, uncommitted, resource, pending)]));
    const current = new Map([...this.#tables].map(([name, table]) => [name, new CurrentRecords(uncommitted, table)]));
    upcastRecords(this.#db, resources);
    const means = { commits: this.#commits, pending, onBuilt, journalAtMost };
    ({ constraints: this.#constraints, journal: this.#journal } = constraintsIn(db, resources, current, means));
    keepSearchTables(db, resources, onBuilt);
    this.checkRecords = (onProgress) => whenUnlocked(() => checkRecords(checkedRecords(this.#db), resources, onProgress));
    const keys = new IdempotencyKeys(uncommitted, new AnswerTable(this.#db, uncommitted));
    const clock = clockOf(db, resources);
    this.#events = new EventAppender(uncommitted, eventWrites(uncommitted), resources, clock, tracing);
    const [commits, constraints, events] = [this.#commits, this.#constraints, this.#events];
    const timers = new TimerChanges(uncommitted, storedTimers(db, uncommitted));
    const records = new RecordChanges(current, { overlay: uncommitted, clock, events, constraints, timers, deleted: deletedStates(db) });
    this.timers = { ...timerReads(db), ...firing({ commits, resources, records, events, timers, now: () => clock.now() }) };
    const once = onceIn(commits, keys);
    this.schedules = schedulesIn(db, commits, tickPublisher(once, events));
    const single = singleChanges(once, records);
    ({ insert: this.insert, insertAll: this.insertAll, insertEach: this.insertEach } = single);
    ({ update: this.update, remove: this.remove, restore: this.restore } = single);
    this.find = eventFinder(this.#db);
    ({ transaction: this.transaction, changing: this.changing } = transactionsIn({
      commits,
      read: async (query) => this.#snapshot.read(query),
      records,
      keys,
      constraints,
      timers,
      find: this.find,
    }));
    const prune = pruner(this.#db, uncommitted);
    this.prune = (before, position) => this.#commits.run(() => prune(before, position));
    this.check = writeCheck(this.#commits);
    this.tally = { commits: this.#commits.tally, appended: this.#events.tally };
    this.log = sqliteLogReader(this.#db);
    this.history = sqliteHistory(this.#db);
    const [traces, deletions] = [recordTraces(db, uncommitted), deletionLog(db)];
    this.erase = erasing({ resources, commits, records, constraints, events, traces, deletions });
    this.importEach = importsInto(commits, records, usedIds(db));
    this.logId = logIdOf(this.#db);
    this.causedBy = causedEvents(this.#db);
    this.relayed = relayPosition(this.#db, this.#commits);
    this.relayTrouble = savedRelayTrouble(this.#db, this.#commits);
    this.subscriptions = subscriptionsIn(this.#db, this.#commits);
    this.retryQueues = savedRetryQueues(this.#db, this.#commits);
    this.refusals = refusalsIn(this.#db, this.#commits);
    this.replays = replaysIn(this.#db, this.#commits, this.logId);
  }

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    return this.#snapshot.read(() => ofResource(this.#tables, resource).get(id));
  }

  async getAll(resource: Resource, ids: readonly number[]): Promise<Stored[]> {
    const table = ofResource(this.#tables, resource);
    return this.#snapshot.read(() => table.getAll(ids));
  }

  async findByKey<T extends ResourceTypes>(resource: Resource<T>, name: string, values: Partial<T["fields"]>): Promise<Stored | undefined> {
    const table = ofResource(this.#tables, resource);
    return this.#snapshot.read(() => {
      const id = this.#constraints.findByKey(resource, name, values);
      return id === undefined ? undefined : table.get(id);
    });
  }

  async list(resource: Resource, listing: Listing): Promise<Page> {
    return this.#snapshot.read(() => ofResource(this.#tables, resource).list(listing));
  }

  onAppend(listener: Parameters<Store["onAppend"]>[0]): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async problems(): Promise<readonly string[]> {
    return [];
  }

  isReplaced(): boolean {
    return hasMoved(this.#db);
  }

  async close(): Promise<void> {
    await this.#journal.stop();
    await this.#commits.close();
    this.#snapshot.release();
    this.#db.close();
    this.#lock.release();
  }

  /** @param lastEvent position of the last event of the commit. @param mayHaveMore true if only the log knows whether there are more. */
  #tell(lastEvent: number | undefined, mayHaveMore = false): void {
    const { events, areFinal } = this.#events.takeAppended();
    if (events.length === 0 && !mayHaveMore) return;
    const appended = areFinal && lastEvent !== undefined ? placedUpTo(lastEvent, events) : undefined;
    for (const listener of this.#listeners) listener(appended);
  }
}
