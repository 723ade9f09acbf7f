import { noTracing, type Tracing } from "../../observe/tracing";
import type { Resource } from "../../schema/resource";
import type { CommitClock } from "../changes/commit-clock";
import { CurrentRecords } from "../changes/current-records";
import { erasing } from "../changes/erasing";
import { EventAppender } from "../changes/event-appender";
import { IdempotencyKeys } from "../changes/idempotency-keys";
import { importsInto } from "../changes/imports";
import { onceIn } from "../changes/once";
import { RecordChanges } from "../changes/record-changes";
import { singleChanges } from "../changes/single-changes";
import { tickPublisher } from "../changes/ticks";
import { TimerChanges } from "../changes/timer-changes";
import { firing } from "../changes/timer-firing";
import { transactionsIn } from "../changes/transaction-commits";
import type { Store } from "../store";
import type { Read } from "../transaction/engine";
import { newestVersionOf } from "../upcasting";
import { Answers } from "./changes/answers";
import { ConstraintTables } from "./changes/constraint-tables";
import { deletionLog } from "./changes/deletion-log";
import { returnIds } from "./changes/id-blocks";
import type { Layout } from "./changes/layout";
import { RecordTable } from "./changes/record-table";
import { deletedStates, recordTraces, usedIds } from "./changes/record-traces";
import { storedTimers } from "./changes/timers";
import { Workspace } from "./changes/workspace";
import { commitFunction } from "./commit/commit-function";
import type { Locks } from "./commit/commit-statements";
import { Committing } from "./commit/committing";
import { endingsIn } from "./commit/endings";
import { GroupCommit } from "./commit/group-commit";
import type { Database } from "./connection/queries";
import type { Lists } from "./lists/lists";
import { timerReads } from "./lists/timer-reads";
import { eventFinder } from "./log/event-finder";
import { RecordReads } from "./records/record-reads";
import { schedulesIn } from "./relay/schedules";
import type { Slots } from "./slots/slots";

interface Means {
  readonly database: Database;
  /** Identifies the database among all. */
  readonly place: string;
  /** Name of the PostgreSQL schema. */
  readonly schema: string;
  readonly slots: Slots;
  readonly locks: Locks;
  /** Creates the commit function if it is missing. */
  readonly keepFunction: () => Promise<void>;
  readonly clock: CommitClock;
  readonly lists: Lists;
  /** Creates a span for each event. Default: no tracing. */
  readonly tracing?: Pick<Tracing, "create"> | undefined;
  /** Called after commits that added events. */
  readonly onAppend: () => void;
}

type RecordMethods =
  | "insert"
  | "insertAll"
  | "insertEach"
  | "update"
  | "remove"
  | "restore"
  | "importEach"
  | "erase"
  | "transaction"
  | "changing";

/** The part of the store that reads and changes records. */
export interface RecordStore extends Pick<Store, RecordMethods | "get" | "getAll" | "findByKey" | "tally" | "timers" | "schedules"> {
  readonly commits: GroupCommit;
  readonly tables: readonly RecordTable[];
  /** Commits the changes in progress. Later ones are refused. */
  close(): Promise<void>;
}

/** Returns how this program stores the records of resources. */
export function layoutsOf(resources: readonly Resource[]): Layout[] {
  return resources.map((resource, number) => ({ number, resource, shape: newestVersionOf(resource) }));
}

/** Opens the records of resources. Their tables and the commit function are there. */
export function recordStore(layouts: readonly Layout[], means: Means): RecordStore {
  const { database, place, schema, slots, lists, locks, keepFunction, clock, tracing = noTracing, onAppend } = means;
  const workspace = new Workspace();
  const { overlay } = workspace;
  const resources = layouts.map(({ resource }) => resource);
  const tables = new Map(layouts.map((layout) => [layout.resource.name, new RecordTable(workspace, layout)]));
  const current = new Map([...tables].map(([name, table]) => [name, new CurrentRecords(overlay, table)]));
  const constraintTables = new ConstraintTables(workspace, slots, tables, current);
  const { constraints } = constraintTables;
  const events = new EventAppender(overlay, (event) => overlay.write({ kind: "event", event }), resources, clock, tracing);
  const attempts = {
    ...{ workspace, tables, slots, database, commitFunction: commitFunction(layouts, locks) },
    ...{ keepFunction, locks, lists, clock },
  };
  const committing = new Committing(attempts);
  const onCommit = () => {
    if (events.takeAppended().events.length > 0) onAppend();
  };
  const commits = new GroupCommit(committing, onCommit);
  const timers = new TimerChanges(overlay, storedTimers(workspace));
  const records = new RecordChanges(current, { overlay, clock, events, constraints, timers, deleted: deletedStates(workspace) });
  const keys = new IdempotencyKeys(overlay, new Answers(workspace));
  const expect = (read: Read) => {
    if (workspace.facts.isExact) return;
    if (read.kind === "record") tables.get(read.resource.name)?.expect(read.id, read.found);
    else if (read.kind === "key") constraintTables.expect(read.resource, read.name, read.values, read.found);
  };
  const read = <T>(query: () => T) => committing.read(query);
  const [traces, deletions] = [recordTraces(workspace), deletionLog(database)];
  const reads = new RecordReads(database, slots);
  const known = (resource: Resource) => records.of(resource).resource;
  const once = onceIn(commits, keys);
  return {
    ...singleChanges(once, records),
    importEach: importsInto(commits, records, usedIds(workspace)),
    erase: erasing({ resources, commits, records, constraints, events, traces, deletions }),
    ...transactionsIn({
      ...{ commits, read, expect, isProvisional: () => !workspace.facts.isComplete, records, keys, constraints, timers },
      find: eventFinder(database),
      endings: (changeOf) => endingsIn({ ...attempts, place, schema, onCommit }, changeOf),
    }),
    get: async (resource, id) => reads.get(known(resource), id),
    getAll: async (resource, ids) => reads.getAll(known(resource), ids),
    findByKey: reads.findByKey,
    timers: { ...timerReads(database), ...firing({ commits, resources, records, events, timers, now: () => clock.now() }) },
    schedules: schedulesIn(database, tickPublisher(once, events)),
    tally: { commits: commits.tally, appended: events.tally },
    commits,
    tables: [...tables.values()],
    async close() {
      await commits.close();
      const returned = [...tables.values()].map(({ ids, name }) => returnIds(database, name, ids, locks.ids));
      // What cannot be given back is lost, which does no harm.
      await Promise.allSettled(returned);
    },
  };
}
