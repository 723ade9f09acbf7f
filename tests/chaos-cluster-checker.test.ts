// The checker of the cluster suite finds each kind of violation. Without this proof, the suite could pass on anything.
import { describe, expect, test } from "bun:test";
import { check } from "./chaos/cluster/checker";
import type { Account, ClusterHistory, ConsumerRecord, Handled, Logged, Request, Transfer } from "./chaos/cluster/history";

const account = (id: number, version: number, owner: string, balance = 1000): Account => ({
  id,
  version,
  code: `code ${id}`,
  owner,
  balance,
});
const accountEvent = (id: string, kind: string, state: Account): Logged => {
  return { id, type: `account.${kind}`, subject: state.id, version: state.version, account: state };
};
const transfer: Transfer = { id: 1, version: 1, from: 1, to: 2, amount: 5, note: "n" };

const events = [
  accountEvent("a", "created", account(1, 1, "ada")),
  accountEvent("b", "created", account(2, 1, "bob")),
  accountEvent("c", "created", account(3, 1, "cid")),
  accountEvent("d", "updated", account(3, 2, "dan")),
  accountEvent("e", "updated", account(1, 2, "ada", 995)),
  accountEvent("f", "updated", account(2, 2, "bob", 1005)),
  { id: "g", type: "transfer.created", subject: 1, version: 1, transfer },
  accountEvent("h", "deleted", account(3, 2, "dan")),
] as const;

const request = (kind: Request["kind"], mark: string, id: number, version: number): Request => {
  return { kind, mark, told: "done", answer: kind === "delete" ? null : { id, version }, changedAnswer: false };
};
const handledOf = (log: readonly Logged[]): Handled[] => log.map((event, index) => ({ ...event, at: index, pid: 1, attempt: 1 }));
const consumer = (name: string, exactlyOnce: boolean): ConsumerRecord => ({
  name,
  exactlyOnce,
  ordered: true,
  disorders: [],
  handled: handledOf(events),
});

/** Three accounts are created, one is renamed and deleted, and money moves between the others. */
const good: ClusterHistory = {
  requests: [
    request("create", "ada", 1, 1),
    request("create", "bob", 2, 1),
    request("create", "cid", 3, 1),
    request("rename", "dan", 3, 2),
    request("transfer", "n", 1, 1),
    request("delete", "3", 3, 2),
  ],
  log: events,
  accounts: [account(1, 2, "ada", 995), account(2, 2, "bob", 1005)],
  transfers: [transfer],
  read: events.map(({ id }) => id),
  consumers: [consumer("once", true), { ...consumer("plain", false), handled: handledOf([...events.slice(0, 3), ...events]) }],
  backlog: 0,
  observations: [],
};

const namesOf = (history: ClusterHistory) => [...new Set(check(history).map(({ name }) => name))].sort();
const [a, b, c, d, e, f, g, h] = events;
const logging = (...log: Logged[]): Partial<ClusterHistory> => ({
  log,
  read: log.map(({ id }) => id),
  consumers: good.consumers.map((one) => ({ ...one, handled: handledOf(log) })),
});
const handling = (name: string, ...handled: Logged[]): Partial<ClusterHistory> => ({
  consumers: good.consumers.map((one) => (one.name === name ? { ...one, handled: handledOf(handled) } : one)),
});
const reading = (...read: Logged[]): Partial<ClusterHistory> => ({ read: read.map(({ id }) => id) });
const asking = (...more: Request[]): Partial<ClusterHistory> => ({ requests: [...good.requests, ...more] });

test("a history in which all is well", () => {
  expect(check(good)).toEqual([]);
});

test("an event may be overtaken in a time for which no order is promised, and only then", () => {
  const [once, plain] = good.consumers as readonly [ConsumerRecord, ConsumerRecord];
  const late = handledOf([a, b, d, c, e, f, g, h]);
  const lateIn = (from: number, to: number) =>
    namesOf({ ...good, consumers: [once, { ...plain, handled: late, disorders: [{ from, to }] }] });
  expect([lateIn(2, 2), lateIn(0, 1), lateIn(3, 9)]).toEqual([[], ["out-of-order"], ["out-of-order"]]);
});

describe("what must never be is caught by its name:", () => {
  test.each<[string, Partial<ClusterHistory>, string[]?]>([
    ["lost-write", asking(request("rename", "eve", 1, 3))],
    ["unexpected-write", { requests: good.requests.map((one) => (one.mark === "dan" ? { ...one, told: "refused" } : one)) }],
    ["unexpected-write", { requests: good.requests.slice(1) }],
    ["wrong-answer", { requests: [request("create", "ada", 9, 1), ...good.requests.slice(1)] }],
    ["changed-answer", { requests: [{ ...request("create", "ada", 1, 1), changedAnswer: true }, ...good.requests.slice(1)] }],
    ["doubled-write", logging(a, b, c, d, accountEvent("i", "updated", account(3, 3, "dan")), e, f, g, { ...h, version: 3 })],
    ["gap-in-log", logging(a, b, c, d, e, f, g, { ...h, version: 7 })],
    ["event-missing", { accounts: [account(1, 2, "ada", 995), account(2, 2, "bert", 1005)] }],
    ["row-missing", { transfers: [] }],
    ["not-unique", { accounts: good.accounts.map((one) => ({ ...one, code: "same" })) }, ["event-missing"]],
    ["torn-transfer", logging(a, b, c, d, e, g, f, h)],
    ["wrong-sum", { accounts: [account(1, 2, "ada", 995), account(2, 2, "bob", 1000)] }, ["event-missing"]],
    ["read-again", reading(a, b, c, d, e, e, f, g, h)],
    ["read-unknown", reading(...events, { ...a, id: "z" })],
    ["read-out-of-order", reading(a, b, d, c, e, f, g, h)],
    ["read-lost", reading(a, b, c, d, f, g, h)],
    ["unexpected-event", handling("plain", ...events, { ...a, id: "z" })],
    ["doubled-effect", handling("once", a, a, b, c, d, e, f, g, h)],
    ["out-of-order", handling("plain", a, b, d, c, e, f, g, h)],
    ["lost-event", handling("once", a, b, c, d, e, f, g)],
    ["backlog", { backlog: 3 }],
    ["stuck", { observations: [{ violation: "stuck", detail: "nothing happens" }] }],
  ])("%s", (name, changed, also = []) => {
    expect(namesOf({ ...good, ...changed })).toEqual([name, ...also].sort());
  });
});
