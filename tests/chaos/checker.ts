import type { Change, ConsumerRecord, Happening, History, Logged, Usage } from "./history";
import { type Violation, violationsOf } from "./violation";

export interface Figures {
  readonly attempts: number;
  readonly acknowledged: number;
  readonly unknown: number;
  /** Number of events in the log. */
  readonly events: number;
  /** Number of events that consumers handled, including repeats. */
  readonly handled: number;
  readonly duplicates: number;
  /** Number of acknowledged changes that are missing, and of events that a consumer should have handled. */
  readonly lost: number;
}

/** Allowed growth of a process's memory during a run. A JavaScript engine returns memory slowly. */
const mostGrowthMb = 200;
const mostNewDescriptors = 10;

/** Returns every broken promise in a history. Depends on the history alone. */
export function check(history: History): Violation[] {
  return violationsOf(violations(history));
}

export function figuresOf(history: History): Figures {
  const { changes, log, consumers } = history;
  const handled = consumers.reduce((sum, consumer) => sum + consumer.handled.length, 0);
  const distinct = consumers.reduce((sum, consumer) => sum + new Set(consumer.handled.map(({ id }) => id)).size, 0);
  const lost = check(history).filter(({ name }) => name === "lost-write" || name === "lost-event");
  return {
    attempts: changes.length,
    acknowledged: changes.filter(({ told }) => told === "done").length,
    unknown: changes.filter(({ told }) => told === "unknown").length,
    events: log.length,
    handled,
    duplicates: handled - distinct,
    lost: lost.reduce((sum, { count }) => sum + count, 0),
  };
}

type Found = readonly [name: string, example: string];

function* violations(history: History): Generator<Found> {
  yield* writes(history);
  yield* tableAgainstLog(history);
  for (const consumer of history.consumers) yield* consumption(consumer, history);
  yield* leftovers(history);
  for (const usage of history.usage) yield* growth(usage);
  for (const { violation, detail } of history.observations) yield [violation, detail];
}

/** Checks that the log has each change as often, and with the same content, as its client was told. */
function* writes({ changes, log }: History): Generator<Found> {
  const logged = Map.groupBy(log, keyOf);
  const asked = new Set<string>();
  for (const change of changes) {
    const key = change.kind === "deleted" ? `deleted ${change.item}` : `${change.kind} ${change.name}`;
    asked.add(key);
    const [event, ...more] = logged.get(key) ?? [];
    if (change.told === "done" && !event) yield ["lost-write", `${key} was answered with 2xx and is not in the log`];
    if (change.told === "refused" && event) yield ["unexpected-write", `${key} was refused and is in the log`];
    if (more.length > 0) yield ["doubled-write", `${key} is ${more.length + 1} times in the log`];
    if (event && change.told === "done" && differs(change, event)) {
      yield [
        "wrong-answer",
        `${key} is version ${event.version} of item ${event.item}, and was answered as ${change.version} of ${change.item}`,
      ];
    }
  }
  for (const [key] of logged) if (!asked.has(key)) yield ["unexpected-write", `${key} is in the log, and nobody asked for it`];
}

function keyOf({ kind, item, name }: Logged): string {
  return kind === "deleted" ? `deleted ${item}` : `${kind} ${name}`;
}

function differs(change: Change, event: Logged): boolean {
  return change.item !== event.item || (change.version !== undefined && change.version !== event.version);
}

/** Checks that replaying the log yields the table: each change has its event, and each event its change. */
function* tableAgainstLog({ log, items }: History): Generator<Found> {
  const played = new Map<number, Logged>();
  const removed = new Set<number>();
  for (const event of log) {
    const { kind, item, version } = event;
    const before = played.get(item);
    const due = kind === "created" ? 1 : kind === "updated" ? (before?.version ?? Number.NaN) + 1 : before?.version;
    if (version !== due || (kind === "created" && (before || removed.has(item)))) {
      yield ["gap-in-log", `${kind} of item ${item} has version ${version} after ${before?.version ?? "nothing"}`];
    }
    if (kind === "deleted") {
      played.delete(item);
      removed.add(item);
    } else played.set(item, event);
  }
  for (const [id, { version, name }] of items) {
    const event = played.get(id);
    if (event?.version !== version || event.name !== name) {
      yield [
        "event-missing",
        `item ${id} is at version ${version}, and the log says ${event ? `version ${event.version}` : "it is not there"}`,
      ];
    }
  }
  for (const id of played.keys())
    if (!items.has(id)) yield ["row-missing", `the log says that item ${id} is there, and it is not in the table`];
}

/**
 * Checks that a consumer handled each wanted event at least once, and no uncommitted ones. Also checks for single effects and for order
 * where these are promised.
 */
function* consumption({ name, kinds, exactlyOnce, handled }: ConsumerRecord, { log, ordered }: History): Generator<Found> {
  const wanted = log.filter(({ kind }) => kinds.includes(kind));
  const place = new Map(wanted.map(({ id }, index) => [id, index]));
  const seen = new Set<string>();
  const latest = new Map<number, number>();
  for (const event of handled) {
    const index = place.get(event.id);
    if (index === undefined) yield ["unexpected-event", `${name} handled ${told(event)}, which is not in the log or not its own`];
    if (seen.has(event.id)) {
      if (exactlyOnce) yield ["doubled-effect", `${name} has a second effect of ${told(event)}`];
      continue;
    }
    seen.add(event.id);
    const before = latest.get(event.item) ?? -1;
    if (ordered && index !== undefined && index < before)
      yield ["out-of-order", `${name} had ${told(event)} after a later event of that item`];
    latest.set(event.item, Math.max(before, index ?? -1));
  }
  for (const event of wanted) if (!seen.has(event.id)) yield ["lost-event", `${name} never had ${told(event)}`];
}

function told({ id, kind, item, version }: Happening): string {
  return `${kind} of item ${item}, version ${version} (${id})`;
}

function* leftovers({ backlog, queues, integrity }: History): Generator<Found> {
  if (backlog !== 0) yield ["backlog", `RabbitMQ has not confirmed ${backlog} events`];
  for (const { queue, ready, unacked } of queues) {
    if (ready !== 0) yield ["queue-depth", `${ready} messages are left in ${queue}`];
    if (unacked !== 0) yield ["unacked", `${unacked} messages of ${queue} are not acknowledged`];
  }
  for (const { file, result } of integrity) if (result !== "ok") yield ["integrity", `${file}: ${result}`];
}

function* growth({ process, memoryMb, descriptors }: Usage): Generator<Found> {
  if (memoryMb[1] - memoryMb[0] > mostGrowthMb) yield ["memory", `${process} grew from ${memoryMb[0]} to ${memoryMb[1]} MB`];
  if (descriptors[1] - descriptors[0] > mostNewDescriptors) {
    yield ["descriptors", `${process} had ${descriptors[0]} descriptors, and ${descriptors[1]} at the end`];
  }
}
