// The checker of `bun run chaos --acting` finds each kind of violation. Without this proof, the suite could pass on anything.
import { describe, expect, test } from "bun:test";
import { check } from "./chaos/acting/checker";
import type { ActingHistory, Logged, Order, Pot } from "./chaos/acting/history";

const pot = (version: number, balance = 0, counted = 0, reminded = 0, ticked = 0): Pot => ({
  id: 1,
  version,
  balance,
  reminded,
  counted,
  ticked,
});
const order = (version: number, note: string, state = "booked"): Order => ({
  id: 7,
  version,
  pot: 1,
  amount: 5,
  mark: "first",
  state,
  note,
});

const plain = { actor: "consumer:chaos-plain", cause: "c", depth: 1 } as const;
const once = { actor: "consumer:chaos-once", cause: "c", depth: 1 } as const;
const minute = 60_000;
const ticks = { actor: "consumer:chaos-ticks", depth: 1 } as const;
const set = "set booked remind:7 after 100";

/** An order is created and booked, which sets a timer; a client sets another one, and one that it cancels; both that are left are due. */
const good: ActingHistory = {
  requests: [
    { kind: "create", mark: "first", told: "done" },
    { kind: "remind", mark: "m1", told: "done" },
    { kind: "remind", mark: "m2", told: "done" },
    { kind: "calm", mark: "m3", told: "done" },
    { kind: "calm", mark: "m4", told: "refused" },
  ],
  log: [
    { position: 1, id: "p", type: "pot.created", subject: 1, at: 1000, pot: pot(1) },
    { position: 2, id: "c", type: "order.created", subject: 7, at: 1000, order: order(1, "", "asked") },
    { position: 3, id: "d", type: "pot.updated", subject: 1, at: 1001, pot: pot(2, 0, 5), ...once },
    { position: 4, id: "e", type: "pot.updated", subject: 1, at: 1002, pot: pot(3, 5, 5), ...plain },
    { position: 5, id: "f", type: "order.updated", subject: 7, at: 1002, order: order(2, set), ...plain },
    { position: 6, id: "g", type: "order.updated", subject: 7, at: 1010, order: order(3, "set m1 - after 20") },
    { position: 7, id: "h", type: "order.updated", subject: 7, at: 1011, order: order(4, "set m2 call:7 after 30") },
    { position: 8, id: "i", type: "order.updated", subject: 7, at: 1012, order: order(5, "cancel m3 call:7") },
    { position: 9, id: "j", type: "order.reminded", subject: 7, at: 1030, order: order(5, "cancel m3 call:7"), tag: "m1" },
    { position: 10, id: "k", type: "order.reminded", subject: 7, at: 1102, order: order(5, "cancel m3 call:7"), tag: "booked", ...plain },
    { position: 11, id: "l", type: "pot.updated", subject: 1, at: 1110, pot: pot(4, 5, 5, 1), ...plain, cause: "j" },
    { position: 12, id: "m", type: "pot.updated", subject: 1, at: 1111, pot: pot(5, 5, 5, 2), ...plain, cause: "k", depth: 2 },
    { position: 13, id: "t", type: "schedule.due", subject: 1, at: minute + 5, dueAt: minute },
    { position: 14, id: "u", type: "pot.updated", subject: 1, at: minute + 9, pot: pot(6, 5, 5, 2, 1), ...ticks, cause: "t" },
    { position: 15, id: "v", type: "schedule.due", subject: 1, at: 2 * minute, dueAt: 2 * minute },
    { position: 16, id: "w", type: "pot.updated", subject: 1, at: 2 * minute + 9, pot: pot(7, 5, 5, 2, 2), ...ticks, cause: "v" },
  ],
  pots: [pot(7, 5, 5, 2, 2)],
  orders: [order(5, "cancel m3 call:7")],
  effects: [{ id: "c", counted: 5 }],
  waiting: 0,
  jumps: [],
  lastTime: 2 * minute,
  observations: [],
};

const changed = (id: string, change: Partial<Logged>): Partial<ActingHistory> => ({
  log: good.log.map((event) => (event.id === id ? { ...event, ...change } : event)),
});
const without = (id: string): Partial<ActingHistory> => ({ log: good.log.filter((event) => event.id !== id) });
const followedBy = (...events: Partial<Logged>[]): Partial<ActingHistory> => ({
  log: [...good.log, ...events.map((event, index) => ({ ...(good.log.at(-1) as Logged), ...event, position: 17 + index }))],
});
const namesOf = (difference: Partial<ActingHistory>) => check({ ...good, ...difference }).map(({ name }) => name);

test("a history in which all is well", () => {
  expect(check(good)).toEqual([]);
});

describe("what must never be is caught by its name:", () => {
  test.each<[string, Partial<ActingHistory>]>([
    ["lost-write", { requests: [...good.requests, { kind: "create", mark: "gone", told: "done" }] }],
    ["unexpected-write", { requests: good.requests.map((request) => ({ ...request, told: "refused" as const })) }],
    ["row-missing", { orders: [] }],
    ["event-missing", { pots: [pot(7, 5, 5, 3, 2)] }],
    ["wrong-sum", { pots: [pot(7, 6, 5, 2, 2)] }],
    ["wrong-sum", { pots: [pot(7, 5, 5, 2, 3)] }],
    ["wrong-cause", changed("d", { depth: 3 })],
    ["wrong-cause", changed("k", { cause: "p" })],
    ["wrong-cause", changed("d", { cause: "none" })],
    ["lost-change", without("l")],
    ["gap-in-log", without("l")],
    ["torn-change", changed("e", { type: "order.updated", order: order(2, ""), subject: 8 })],
    ["doubled-change", followedBy({ ...plain, cause: "j", id: "n", pot: pot(8, 5, 5, 3) })],
    ["unexpected-change", followedBy({ ...plain, id: "n", pot: pot(8, 5, 5, 2), cause: "p" })],
    ["lost-effect", { effects: [] }],
    ["doubled-effect", { effects: [...good.effects, ...good.effects] }],
    ["other-effect", { effects: [{ id: "c", counted: 4 }] }],
    ["unexpected-effect", { effects: [...good.effects, { id: "x", counted: 5 }] }],
    ["timer-early", changed("j", { at: 1029 })],
    ["timer-twice", followedBy({ ...(good.log[8] as Logged), id: "n" })],
    ["timer-unexpected", followedBy({ ...(good.log[8] as Logged), id: "n", tag: "m2" })],
    ["timer-unexpected", followedBy({ ...(good.log[8] as Logged), id: "n", tag: "never set" })],
    ["timer-lost", without("j")],
    ["timer-left", { waiting: 1 }],
    ["tick-twice", changed("v", { dueAt: minute })],
    ["tick-early", changed("v", { at: 2 * minute - 1 })],
    ["tick-overlap", changed("u", { position: 18 })],
    ["tick-out-of-order", changed("t", { dueAt: 3 * minute, at: 4 * minute })],
    ["tick-lost", { lastTime: 3 * minute }],
    ["lost-change", without("w")],
    ["process-ended", { observations: [{ violation: "process-ended", detail: "the api ended by itself" }] }],
  ])("%s", (name, difference) => {
    expect(namesOf(difference)).toContain(name);
  });

  test("timer-out-of-order, unless it was set only just now, or the clock was set in between", () => {
    const late = (ms: number): ActingHistory => ({
      ...good,
      log: good.log.map((event) =>
        event.position > 9
          ? { ...event, at: event.at + ms }
          : event.id === "j"
            ? { ...event, tag: "booked", at: event.at + ms, ...plain }
            : event,
      ),
    });
    const swapped = (ms: number, jumps: ActingHistory["jumps"] = []) => {
      const { log } = late(ms);
      return namesOf({
        log: log.map((event) => (event.id === "k" ? { ...event, tag: "m1", actor: undefined, cause: undefined, depth: undefined } : event)),
        jumps,
      });
    };
    expect(swapped(6000)).toContain("timer-out-of-order");
    expect(swapped(3000)).not.toContain("timer-out-of-order");
    expect(swapped(6000, [{ from: 7, to: 8 }])).not.toContain("timer-out-of-order");
  });

  test("timer-unexpected: its order is gone, or another one has its key", () => {
    const gone = { id: "n", type: "order.deleted", subject: 7, actor: undefined, cause: undefined, depth: undefined, order: order(5, "") };
    const { log } = good;
    const deletedFirst = [...log.slice(0, 8), { ...(log[8] as Logged), ...gone }, ...log.slice(8)];
    expect(namesOf({ log: deletedFirst })).toContain("timer-unexpected");
    expect(namesOf(changed("i", { order: order(5, "set m3 remind:7 after 1") }))).toContain("timer-unexpected");
  });
});
