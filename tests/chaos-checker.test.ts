// The checker of the fault suite finds each kind of violation. Without this proof, the suite could pass on anything.
import { describe, expect, test } from "bun:test";
import { check } from "./chaos/checker";
import type { Change, Happening, History, Kind, Logged } from "./chaos/history";

const change = (kind: Kind, name: string | undefined, item: number, version?: number): Change => ({
  kind,
  name,
  item,
  told: "done",
  version,
});
const logged = (id: string, kind: Kind, name: string, item: number, version: number): Logged => ({ id, kind, name, item, version });

const [a, b, c, d] = [
  logged("a", "created", "one", 1, 1),
  logged("b", "updated", "two", 1, 2),
  logged("c", "created", "three", 2, 1),
  logged("d", "deleted", "three", 2, 1),
] as const;

/** Item 1 is created and changed, item 2 created and deleted; two consumers had it all, one of them with a repeat. */
const good: History = {
  changes: [
    change("created", "one", 1, 1),
    change("updated", "two", 1, 2),
    change("created", "three", 2, 1),
    change("deleted", undefined, 2),
  ],
  log: [a, b, c, d],
  items: new Map([[1, { version: 2, name: "two" }]]),
  consumers: [
    { name: "seen", kinds: ["created", "deleted"], exactlyOnce: false, handled: [a, c, a, c, d] },
    { name: "once", kinds: ["created", "updated", "deleted"], exactlyOnce: true, handled: [a, b, c, d] },
  ],
  backlog: 0,
  queues: [{ queue: "seen", ready: 0, unacked: 0 }],
  integrity: [{ file: "warren.db", result: "ok" }],
  usage: [{ process: "api", memoryMb: [100, 150], descriptors: [30, 32] }],
  observations: [],
  ordered: true,
};

const namesOf = (history: History) => check(history).map(({ name, count }) => [name, count]);
/** The good history with one consumer that did something else. */
const handling = (name: "seen" | "once", ...handled: Happening[]): Partial<History> => ({
  consumers: good.consumers.map((consumer) => (consumer.name === name ? { ...consumer, handled } : consumer)),
});
const telling = (told: Change["told"], ...added: Omit<Change, "told">[]): Partial<History> => ({
  changes: [...good.changes, ...added.map((one) => ({ ...one, told }))],
});

test("a history in which all is well", () => {
  expect(check(good)).toEqual([]);
});

describe("what must never be is caught by its name:", () => {
  test.each<[string, Partial<History>, number?]>([
    ["lost-write", { ...telling("done", change("created", "gone", 3, 1)) }],
    ["unexpected-write", telling("refused", { kind: "updated", name: "two", item: 1, version: undefined })],
    ["unexpected-write", { changes: good.changes.slice(0, 3) }],
    ["wrong-answer", { changes: [change("created", "one", 1, 2), ...good.changes.slice(1)] }],
    ["wrong-answer", { changes: [change("created", "one", 9, 1), ...good.changes.slice(1)] }],
    ["event-missing", { items: new Map([...good.items, [3, { version: 1, name: "no event" }]]) }],
    ["event-missing", { items: new Map([[1, { version: 3, name: "two" }]]) }],
    ["event-missing", { items: new Map([[1, { version: 2, name: "other" }]]) }],
    ["row-missing", { items: new Map() }],
    ["lost-event", handling("once", a, b, c)],
    ["lost-event", handling("seen", d), 2],
    ["unexpected-event", handling("once", a, b, c, d, logged("x", "created", "made up", 4, 1))],
    ["unexpected-event", handling("seen", a, b, c, d)],
    ["doubled-effect", handling("once", a, b, b, c, d)],
    ["out-of-order", handling("once", b, a, c, d)],
    ["out-of-order", handling("seen", a, d, c)],
    ["backlog", { backlog: 3 }],
    ["backlog", { backlog: Number.NaN }],
    ["queue-depth", { queues: [{ queue: "seen", ready: 1, unacked: 0 }] }],
    ["unacked", { queues: [{ queue: "seen", ready: 0, unacked: 1 }] }],
    ["integrity", { integrity: [{ file: "warren.db", result: "row 1 missing from index" }] }],
    ["memory", { usage: [{ process: "api", memoryMb: [100, 301], descriptors: [30, 30] }] }],
    ["descriptors", { usage: [{ process: "api", memoryMb: [100, 100], descriptors: [30, 41] }] }],
    ["process-ended", { observations: [{ violation: "process-ended", detail: "the api ended by itself" }] }],
  ])("%s", (name, difference, count = 1) => {
    expect(namesOf({ ...good, ...difference })).toEqual([[name, count]]);
  });

  test("doubled-write, which is also a creation of what is there", () => {
    const again = logged("e", "created", "one", 1, 1);
    const history = { ...good, log: [...good.log, again], items: new Map([[1, { version: 1, name: "one" }]]) };
    const consumers = good.consumers.map((consumer) => ({ ...consumer, handled: [...consumer.handled, again] }));
    expect(namesOf({ ...history, consumers })).toEqual([
      ["doubled-write", 1],
      ["gap-in-log", 1],
    ]);
  });

  test("gap-in-log: a version that is left out", () => {
    const late = { ...b, version: 3 };
    const consumers = good.consumers.map((consumer) => ({
      ...consumer,
      handled: consumer.handled.map((one) => (one.id === "b" ? late : one)),
    }));
    const changes = good.changes.map((one) => (one.name === "two" ? { ...one, version: 3 } : one));
    const history = { ...good, changes, log: [a, late, c, d], items: new Map([[1, { version: 3, name: "two" }]]), consumers };
    expect(namesOf(history)).toEqual([["gap-in-log", 1]]);
  });
});
