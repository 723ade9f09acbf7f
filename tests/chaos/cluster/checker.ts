import { type Violation, violationsOf } from "../violation";
import type { ClusterHistory, ConsumerRecord, Handled, Logged, Request } from "./history";
import { initialBalance } from "./project/src/domain/account";

type Found = readonly [name: string, example: string];

/** Returns every broken promise in a history. Depends on the history alone. */
export function check(history: ClusterHistory): Violation[] {
  return violationsOf(violations(history));
}

function* violations(history: ClusterHistory): Generator<Found> {
  yield* writes(history);
  yield* versions(history);
  yield* tables(history);
  yield* transactions(history);
  yield* reading(history);
  for (const consumer of history.consumers) yield* consumption(consumer, history);
  if (history.backlog > 0) yield ["backlog", `${history.backlog} events are not confirmed`];
  for (const { violation, detail } of history.observations) yield [violation, detail];
}

/** Checks that the log has each change as often, and with the same content, as its client was told. */
function* writes({ requests, log }: ClusterHistory): Generator<Found> {
  const logged = Map.groupBy(log.filter(isRequested(log)), markOf);
  const asked = new Set(requests.map(nameOf));
  for (const request of requests) {
    const { told, answer } = request;
    const name = nameOf(request);
    const [event, ...more] = logged.get(name) ?? [];
    if (told === "done" && !event) yield ["lost-write", `${name} was answered with 2xx and is not in the log`];
    if (told === "refused" && event) yield ["unexpected-write", `${name} was refused and is in the log`];
    if (more.length > 0) yield ["doubled-write", `${name} is ${more.length + 1} times in the log`];
    if (event && answer && (answer.id !== event.subject || answer.version !== event.version)) {
      yield ["wrong-answer", `${name} is version ${event.version} of ${event.subject}, answered as ${answer.version} of ${answer.id}`];
    }
    if (request.changedAnswer) yield ["changed-answer", `${name} was answered otherwise when it was repeated with its key`];
  }
  for (const name of logged.keys()) if (!asked.has(name)) yield ["unexpected-write", `${name} is in the log, and nobody asked for it`];
}

/** Returns whether an event is that of a request, and not one of the two updates of a transfer, which change a balance only. */
function isRequested(log: readonly Logged[]): (event: Logged) => boolean {
  const balances = new Map<number, number>();
  const byTransfers = new Set<Logged>();
  for (const event of log) {
    const { account, type } = event;
    if (!account) continue;
    if (type === "account.updated" && balances.get(account.id) !== account.balance) byTransfers.add(event);
    balances.set(account.id, account.balance);
  }
  return (event) => !byTransfers.has(event);
}

const kinds: Readonly<Record<string, Request["kind"]>> = {
  "account.created": "create",
  "account.updated": "rename",
  "account.deleted": "delete",
  "transfer.created": "transfer",
};

function nameOf({ kind, mark }: Pick<Request, "kind" | "mark">): string {
  return `${kind} ${mark}`;
}

function markOf({ type, subject, account, transfer }: Logged): string {
  const kind = kinds[type];
  if (kind === undefined) return type;
  return nameOf({ kind, mark: kind === "delete" ? String(subject) : (transfer?.note ?? account?.owner ?? "") });
}

const recordOf = ({ type, subject }: Pick<Logged, "type" | "subject">) => `${type.split(".")[0]} ${subject}`;

/** Checks that each change of a record follows the one before, so that no event of it is missing or in a wrong place. */
function* versions({ log }: ClusterHistory): Generator<Found> {
  const known = new Map<string, number>();
  for (const event of log) {
    const record = recordOf(event);
    const before = known.get(record);
    const due = event.type.endsWith(".created") ? 1 : event.type.endsWith(".updated") ? (before ?? Number.NaN) + 1 : before;
    if (event.version !== due || (event.type.endsWith(".created") && before !== undefined)) {
      yield ["gap-in-log", `${event.type} of ${record} has version ${event.version} after ${before ?? "nothing"}`];
    }
    known.set(record, event.version);
  }
}

/** Checks that replaying the log yields the tables, and that unique values are. */
function* tables({ log, accounts, transfers }: ClusterHistory): Generator<Found> {
  const played = new Map<string, string>();
  for (const event of log) {
    if (event.type.endsWith(".deleted")) played.delete(recordOf(event));
    else played.set(recordOf(event), JSON.stringify(event.account ?? event.transfer));
  }
  const stored = [
    ...accounts.map((record) => [`account ${record.id}`, record] as const),
    ...transfers.map((record) => [`transfer ${record.id}`, record] as const),
  ];
  for (const [name, record] of stored) {
    const logged = played.get(name);
    if (logged !== JSON.stringify(record)) yield ["event-missing", `${name} is ${JSON.stringify(record)}, and the log says ${logged}`];
    played.delete(name);
  }
  for (const name of played.keys()) yield ["row-missing", `the log says that ${name} is there, and it is not in the table`];
  const codes = new Set(accounts.map(({ code }) => code));
  if (codes.size < accounts.length) yield ["not-unique", `${accounts.length - codes.size} accounts have the code of another one`];
}

/** Checks that each transfer was made as a whole: the balances are those that the transfers give, after each of them. */
function* transactions({ log, accounts }: ClusterHistory): Generator<Found> {
  const due = new Map<number, number>();
  const balances = new Map<number, number>();
  for (const { type, account, transfer } of log) {
    if (account && type === "account.created") due.set(account.id, initialBalance);
    if (account) balances.set(account.id, account.balance);
    if (!transfer) continue;
    const { from, to, amount } = transfer;
    due.set(from, (due.get(from) ?? 0) - amount);
    due.set(to, (due.get(to) ?? 0) + amount);
    for (const id of [from, to]) {
      if (balances.get(id) !== due.get(id)) {
        yield ["torn-transfer", `after transfer ${transfer.id}, account ${id} has ${balances.get(id)} and should have ${due.get(id)}`];
      }
    }
  }
  const sum = accounts.reduce((total, { balance }) => total + balance, 0);
  if (sum !== initialBalance * accounts.length) yield ["wrong-sum", `${accounts.length} accounts have ${sum} in all`];
}

/** Checks that the tailing reader got each event once, in the order of the log. */
function* reading({ log, read }: ClusterHistory): Generator<Found> {
  const place = new Map(log.map(({ id }, index) => [id, index]));
  const seen = new Set<string>();
  let latest = -1;
  for (const id of read) {
    const index = place.get(id);
    if (seen.has(id)) yield ["read-again", `the reader got ${id} twice`];
    else if (index === undefined) yield ["read-unknown", `the reader got ${id}, which is not in the log`];
    else if (index < latest) yield ["read-out-of-order", `the reader got ${id} after a later event`];
    seen.add(id);
    latest = Math.max(latest, index ?? -1);
  }
  for (const { id, type, subject } of log) if (!seen.has(id)) yield ["read-lost", `the reader never got ${type} of ${subject} (${id})`];
}

/**
 * Checks that a consumer handled each event at least once, and no other ones. Also checks for single effects and for order where these are
 * promised.
 */
function* consumption({ name, exactlyOnce, ordered, disorders, handled }: ConsumerRecord, { log }: ClusterHistory): Generator<Found> {
  const place = new Map(log.map(({ id }, index) => [id, index]));
  const seen = new Set<string>();
  /** The events of each record that came after none that is later, in the order in which they were handled. */
  const known = new Map<string, Handled[]>();
  for (const event of handled) {
    const told = `${event.type} of ${event.subject}, version ${event.version} (${event.id})`;
    const index = place.get(event.id);
    if (index === undefined) yield ["unexpected-event", `${name} handled ${told}, which is not in the log`];
    if (seen.has(event.id)) {
      if (exactlyOnce) yield ["doubled-effect", `${name} has a second effect of ${told}`];
      continue;
    }
    seen.add(event.id);
    const earlier = known.get(recordOf(event)) ?? [];
    const isLate = (index ?? -1) < (place.get(earlier.at(-1)?.id ?? "") ?? -1);
    if (!isLate) {
      earlier.push(event);
      known.set(recordOf(event), earlier);
    }
    const overtaking = isLate ? earlier.find(({ id }) => (place.get(id) ?? -1) > (index ?? Number.POSITIVE_INFINITY)) : undefined;
    // Whatever was overtaken in such a time may come long after it.
    const isExcused = disorders.some(({ from, to }) => overtaking && from <= overtaking.at && overtaking.at <= to);
    if (!ordered || !overtaking || isExcused) continue;
    const after = `after version ${overtaking.version} ${circumstancesOf(overtaking)}`;
    yield ["out-of-order", `${name} had ${told} ${circumstancesOf(event)}, ${after}`];
  }
  for (const { id, type, subject } of log) if (!seen.has(id)) yield ["lost-event", `${name} never had ${type} of ${subject} (${id})`];
}

function circumstancesOf({ at, pid, attempt }: Handled): string {
  return `at ${new Date(at).toISOString()} in process ${pid}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}
