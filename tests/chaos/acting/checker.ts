import { type Violation, violationsOf } from "../violation";
import { type ActingHistory, type Logged, queues } from "./history";
import { tickViolations } from "./tick-checker";
import { timerViolations } from "./timer-checker";

type Found = readonly [name: string, example: string];

/** Returns every broken promise in a history. Depends on the history alone. */
export function check(history: ActingHistory): Violation[] {
  return violationsOf(violations(history));
}

function* violations(history: ActingHistory): Generator<Found> {
  yield* writes(history);
  yield* records(history);
  yield* changes(history);
  yield* sums(history);
  yield* ownTables(history);
  yield* timerViolations(history);
  yield* tickViolations(history);
  for (const { violation, detail } of history.observations) yield [violation, detail];
}

/** Checks that the log has each change of a client as often as its client was told. */
function* writes({ requests, log }: ActingHistory): Generator<Found> {
  const logged = Map.groupBy(
    log.filter(({ actor }) => actor === undefined),
    markOf,
  );
  for (const { kind, mark, told } of requests) {
    const count = logged.get(`${kind} ${mark}`)?.length ?? 0;
    if (told === "done" && count === 0) yield ["lost-write", `${kind} ${mark} was answered with 2xx and is not in the log`];
    if (told === "refused" && count > 0) yield ["unexpected-write", `${kind} ${mark} was refused and is in the log`];
    if (count > 1) yield ["doubled-write", `${kind} ${mark} is ${count} times in the log`];
  }
}

function markOf({ type, subject, order }: Logged): string {
  if (type === "order.created") return `create ${order?.mark}`;
  if (type === "order.deleted") return `delete ${subject}`;
  if (type !== "order.updated") return type;
  const [verb, tag] = order?.note.split(" ") ?? [];
  return `${verb === "set" ? "remind" : "calm"} ${tag}`;
}

const recordOf = ({ type, subject }: Pick<Logged, "type" | "subject">) => `${type.split(".")[0]} ${subject}`;

/** Checks that each change of a record follows the one before, and that replaying the log yields the records. */
function* records({ log, pots, orders }: ActingHistory): Generator<Found> {
  const played = new Map<string, { version: number; json: string }>();
  for (const event of log) {
    const name = recordOf(event);
    const record = event.order ?? event.pot;
    if (event.dueAt !== undefined) continue;
    const before = played.get(name)?.version;
    const isCreation = event.type.endsWith(".created");
    const due = isCreation ? 1 : event.type.endsWith(".updated") ? (before ?? Number.NaN) + 1 : before;
    if (record?.version !== due || (isCreation && before !== undefined))
      yield ["gap-in-log", `${event.type} of ${name} has version ${record?.version} after ${before ?? "nothing"}`];
    if (event.type.endsWith(".deleted")) played.delete(name);
    else if (record) played.set(name, { version: record.version, json: JSON.stringify(record) });
  }
  const stored = [...pots.map((pot) => [`pot ${pot.id}`, pot] as const), ...orders.map((order) => [`order ${order.id}`, order] as const)];
  for (const [name, record] of stored) {
    const logged = played.get(name)?.json;
    if (logged !== JSON.stringify(record)) yield ["event-missing", `${name} is ${JSON.stringify(record)}, and the log says ${logged}`];
    played.delete(name);
  }
  for (const name of played.keys()) yield ["row-missing", `the log says that ${name} is there, and it is not in the table`];
}

/** Checks that the changes of each handler were made once for each of its events, as a whole, and name what caused them. */
function* changes({ log }: ActingHistory): Generator<Found> {
  const byId = new Map(log.map((event) => [event.id, event]));
  const made = Map.groupBy(
    log.filter(({ actor, type }) => actor !== undefined && type !== "order.reminded"),
    ({ actor, cause }) => `${actor} ${cause}`,
  );
  for (const { id, cause, depth, type, actor } of log) {
    if (cause === undefined && actor === undefined) continue;
    const due = (byId.get(cause ?? "")?.depth ?? 0) + 1;
    if (!byId.has(cause ?? "")) yield ["wrong-cause", `${type} (${id}) of ${actor} is caused by ${cause}, which is not in the log`];
    else if (depth !== due) yield ["wrong-cause", `${type} (${id}) has depth ${depth} and not ${due}`];
  }
  for (const event of log) {
    if (event.type === "order.created") yield* changesOf(event, queues.once, ["pot.updated"]);
    if (event.type === "order.created") yield* changesOf(event, queues.plain, ["pot.updated"], ["pot.updated", "order.updated"]);
    if (event.type === "order.reminded") yield* changesOf(event, queues.plain, ["pot.updated"]);
    if (event.dueAt !== undefined) yield* changesOf(event, queues.ticks, ["pot.updated"]);
  }
  for (const name of made.keys()) yield ["unexpected-change", `${name} has changes, and should have none`];

  /** @param wanted the changes that it may have led to: one of these lists. */
  function* changesOf({ id, type, subject }: Logged, queue: string, ...wanted: readonly string[][]): Generator<Found> {
    const name = `consumer:${queue} ${id}`;
    const types = (made.get(name) ?? []).map((event) => event.type);
    made.delete(name);
    const [first = []] = wanted;
    const told = `${type} of ${subject} (${id}) has led to ${types.join(", ") || "nothing"} in ${queue}`;
    if (wanted.some((list) => list.join() === types.join())) return;
    if (types.length === 0) yield ["lost-change", told];
    else if (types.filter((each) => each === first[0]).length > 1) yield ["doubled-change", told];
    else yield ["torn-change", told];
  }
}

/** Checks the counters of the records by themselves: each is the sum of what its events ask for. */
function* sums({ log, pots }: ActingHistory): Generator<Found> {
  const ticks = log.filter(({ dueAt }) => dueAt !== undefined).length;
  const ticked = pots.reduce((sum, pot) => sum + pot.ticked, 0);
  if (ticked !== ticks) yield ["wrong-sum", `the pots have ${ticked} ticks and not ${ticks}`];
  for (const { id, balance, counted, reminded } of pots) {
    const about = (type: string) => log.filter((event) => event.type === type && event.order?.pot === id);
    const due = about("order.created").reduce((sum, { order }) => sum + (order?.amount ?? 0), 0);
    if (balance !== due) yield ["wrong-sum", `pot ${id} has a balance of ${balance} and not ${due}`];
    if (counted !== due) yield ["wrong-sum", `pot ${id} has counted ${counted} and not ${due}`];
    const times = about("order.reminded").length;
    if (reminded !== times) yield ["wrong-sum", `pot ${id} was reminded ${reminded} times and not ${times}`];
  }
}

/** Checks that the own table of a consumer has each event once, with what its change has counted. */
function* ownTables({ log, effects }: ActingHistory): Generator<Found> {
  const rows = Map.groupBy(effects, ({ id }) => id);
  const counted = new Map(log.filter(({ actor }) => actor === `consumer:${queues.once}`).map(({ cause, pot }) => [cause, pot?.counted]));
  for (const { id, type, subject } of log.filter((event) => event.type === "order.created")) {
    const [row, ...more] = rows.get(id) ?? [];
    const told = `${type} of order ${subject} (${id})`;
    if (!row) yield ["lost-effect", `${told} has no row in the table of ${queues.once}`];
    if (more.length > 0) yield ["doubled-effect", `${told} has ${more.length + 1} rows in the table of ${queues.once}`];
    if (row && row.counted !== counted.get(id))
      yield ["other-effect", `${told} has counted ${row.counted} in the table, and ${counted.get(id)} in the record`];
    rows.delete(id);
  }
  for (const id of rows.keys()) yield ["unexpected-effect", `the table of ${queues.once} has a row of ${id}, which is not in the log`];
}
