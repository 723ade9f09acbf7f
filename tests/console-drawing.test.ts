// What the console's pages work out before they draw: amounts in words, lanes of a timeline, lines of a chart, what is chosen.
import { describe, expect, test } from "bun:test";
import type { ReportedConsumer, Timeline } from "../src/console/page/answers";
import { patternsOf } from "../src/console/page/consumers/patterns";
import { workOf } from "../src/console/page/consumers/work";
import {
  countOf,
  everything,
  hasLetter,
  jobsOf,
  nothing,
  type Shown,
  toggleGroup,
  toggleLetter,
  without,
} from "../src/console/page/dead-letters/choice";
import { linesOf } from "../src/console/page/event/difference";
import { lanesOf } from "../src/console/page/event/lanes";
import { scaleFor } from "../src/console/page/event/scale";
import { stepsOf } from "../src/console/page/event/step-list";
import { areaOf, lineOf, scaleOf } from "../src/console/page/overview/lines";
import { sinceObserved, sinceStart } from "../src/console/page/overview/since-start";
import { localTime } from "../src/console/page/replays/body";
import { ago, bytes, duration, rate, until } from "../src/console/page/words";

describe("amounts in words", () => {
  test.each([
    [0, "0 ms"],
    [0.44, "0.4 ms"],
    [2, "2 ms"],
    [12.4, "12 ms"],
    [999.6, "1 s"],
    [1040, "1.04 s"],
    [7600, "7.6 s"],
    [59_000, "59 s"],
    [180_000, "3 min"],
    [18_000_000, "5 h"],
    [172_800_000, "2 days"],
  ])("%p ms is %p", (ms, text) => expect(duration(ms)).toBe(text));

  test("rates, sizes and times ago", () => {
    expect([0, 0.01, 0.42, 9.9, 118.2, 1_284_907].map(rate)).toEqual(["0", "<0.1", "0.4", "9.9", "118", "1,284,907"]);
    expect([12, 1100, 612e6].map(bytes)).toEqual(["12 B", "1.1 kB", "612 MB"]);
    const now = Date.parse("2026-11-29T10:00:00Z");
    expect([100, 7_000, 89_000, 3_600_000].map((ms) => ago(new Date(now - ms), now))).toEqual([
      "just now",
      "7 s ago",
      "1 min ago",
      "60 min ago",
    ]);
  });
});

const at = (ms: number) => new Date(Date.parse("2026-11-29T10:00:00.000Z") + ms).toISOString();
const attempt = (number: number, ms: number, outcome: "retry" | "handled" | "dead-letter") => ({
  ...{ attempt: number, at: at(ms), outcome, reason: null, nextAt: null },
  error: outcome === "handled" ? null : "Error: no",
});
const timeline: Timeline = {
  ...{ id: "a", type: "item.updated", subject: 1, position: 9, traceparent: null, transport: "rabbitmq" },
  request: { id: "r", at: at(0), actor: null },
  committedAt: at(2),
  broker: { state: "confirmed", confirmedBy: at(13) },
  causes: [],
  caused: [],
  consumers: [
    { queue: "audit", state: "handled", at: at(19), note: null, attempts: [] },
    { queue: "quiet", state: "handled", at: null, note: "no time is kept", attempts: [] },
    { queue: "crm", state: "dead-letter", at: at(7600), note: null, attempts: [attempt(1, 24, "retry"), attempt(2, 7600, "dead-letter")] },
  ],
};

describe("a timeline", () => {
  test("has a lane for each part, with what is known of it", () => {
    const { lanes, longestMs } = lanesOf(timeline);
    expect(lanes.map(({ name, state, tone, end }) => [name, state, tone, end])).toEqual([
      ["API", "committed", "good", "after 2 ms"],
      ["RabbitMQ", "confirmed", "good", "by 13 ms"],
      ["audit", "handled", "good", "after 19 ms"],
      ["quiet", "handled", "good", "no time kept"],
      ["crm", "dead letter", "bad", "after 7.6 s"],
    ]);
    expect(lanes.map(({ points }) => points.map(({ ms, kind }) => [ms, kind]))).toEqual([
      [
        [0, "begun"],
        [2, "done"],
      ],
      [[13, "done"]],
      [[19, "done"]],
      [],
      [
        [24, "failed"],
        [7600, "dead"],
      ],
    ]);
    expect(longestMs).toBe(7600);
  });

  test("without RabbitMQ and without a request, has neither lane nor time of them", () => {
    const bare = {
      ...timeline,
      transport: "embedded",
      request: { id: null, at: null, actor: null },
      broker: { state: "none", confirmedBy: null },
    } as const;
    const [api, ...others] = lanesOf(bare).lanes;
    expect([api?.about, api?.end, api?.points]).toEqual(["commit", "", [{ ms: 0, kind: "done", label: "" }]]);
    expect(others.map(({ name }) => name)).toEqual(["audit", "quiet", "crm"]);
  });

  test("its axis makes 2 ms and 7.6 s readable", () => {
    const scale = scaleFor(7600);
    expect(scale.ticks.map(({ label }) => label)).toEqual(["0", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    expect([0, 2, 13, 7600, 10_000].map((ms) => Math.round(scale.at(ms)))).toEqual([2, 13, 29, 95, 98]);
    expect(scaleFor(5e9).ticks.at(-1)?.label).toBe("100 days");
    expect(scaleFor(1).ticks.length).toBe(3);
  });

  test("its steps are in the order of time", () => {
    expect(stepsOf(timeline).map(({ where, what, isLast }) => [where, what, isLast])).toEqual([
      ["API", "Request arrived", false],
      ["API", "Committed", false],
      ["RabbitMQ", "Confirmed, by then at the latest", false],
      ["audit", "Handled", false],
      ["crm", "Attempt 1 failed", false],
      ["crm", "Attempt 2 failed: dead letter", true],
    ]);
  });
});

test("what changed: fields that are new, gone or other, but not the version, which always is", () => {
  const lines = linesOf({ id: 1, name: "a", old: true, version: 1 }, { id: 1, name: "b", more: [1], version: 2 });
  expect(lines.map(({ kind, text }) => `${kind} ${text.replaceAll(/\s+/g, " ")}`)).toEqual([
    'same "id": 1,',
    'gone "name": "a",',
    'new "name": "b",',
    'new "more": [ 1 ],',
    'same "version": 2,',
    'gone "old": true',
  ]);
  expect(linesOf(undefined, { id: 1 })).toEqual([{ kind: "same", text: '"id": 1' }]);
});

describe("a chart", () => {
  test("ends at a round number", () => {
    expect([0, 0.3, 1, 7, 118, 200, 201].map(scaleOf)).toEqual([0.4, 0.4, 1, 8, 200, 200, 400]);
  });

  test("has a gap where nothing was observed", () => {
    const values = [0, 5, null, 10, 10];
    expect(lineOf(values, 10, { width: 100, height: 10 })).toBe("M0 10L25 5M75 0L100 0");
    expect(areaOf(values, 10)).toBe("M0 176L225 88L225 176L0 176ZM675 0L900 0L900 176L675 176Z");
    expect(lineOf([], 10)).toBe("");
  });
});

test("the flow begins with the process, and was nothing where nothing is said of it", () => {
  const of = (values: (number | null)[]) => [...new Array<null>(30).fill(null), ...values];
  const history = {
    ...{ from: at(0), to: at(99_000), stepSeconds: 3, queues: [] },
    ...{ committed: of([2, null, 1]), confirmed: of([null, null, 1]), handled: of([null, 4, 1]), failed: of([null, null, 1]) },
  };
  const flows = sinceStart(history, at(90_000));
  expect([flows.from, flows.to].map((time) => time.toISOString())).toEqual([at(39_000), at(96_000)]);
  expect([flows.committed.slice(-3), flows.confirmed.slice(-3), flows.handled.slice(-3)]).toEqual([
    [null, 2, 0],
    [null, 0, 0],
    [null, null, 4],
  ]);
  expect(sinceObserved([...new Array<null>(30).fill(null), 1, 2]).length).toBe(20);
});

describe("what is chosen of dead letters", () => {
  const letter = (id: string, group: string) => ({ id, group }) as Shown["letters"][number];
  const group = (name: string, count: number) => ({ group: name, count }) as Shown["groups"][number];
  const letters = [letter("1", "a"), letter("2", "a"), letter("3", "b")];
  const shown: Shown = { letters, groups: [group("a", 9), group("b", 1)], matched: 10 };
  const [first, second, third] = letters as [(typeof letters)[0], (typeof letters)[0], (typeof letters)[0]];

  test("a group counts as a whole, also what is not shown of it", () => {
    const choice = toggleLetter(toggleGroup(nothing, "a", shown), third, shown);
    expect([countOf(choice, shown), letters.map((one) => hasLetter(choice, one))]).toEqual([10, [true, true, true]]);
    expect(countOf(toggleGroup(choice, "a", shown), shown)).toBe(1);
  });

  test("without one of a chosen group, those that are shown stay chosen", () => {
    const choice = toggleLetter(toggleGroup(nothing, "a", shown), first, shown);
    expect([countOf(choice, shown), hasLetter(choice, first), hasLetter(choice, second)]).toEqual([1, false, true]);
    expect(countOf(toggleLetter(everything, third, shown), shown)).toBe(9);
  });

  test("keeps what was chosen while a job for others was started", () => {
    const started = toggleLetter(nothing, first, shown);
    expect(without(started, started)).toEqual(nothing);
    const since = toggleLetter(started, second, shown);
    expect(letters.map((one) => hasLetter(without(since, started), one))).toEqual([false, true, false]);
    expect(without(everything, started)).toEqual(everything);
  });

  test("becomes jobs that leave out what arrives later", () => {
    const about = { queue: "crm", filters: {}, upTo: 7 };
    expect(jobsOf(everything, about)).toEqual([{ queue: "crm", upTo: 7, all: true }]);
    expect(jobsOf(everything, { ...about, filters: { type: "x" } })).toEqual([{ queue: "crm", upTo: 7, type: "x" }]);
    const choice = toggleLetter(toggleGroup(nothing, "a", shown), third, shown);
    expect(jobsOf(choice, { ...about, filters: { search: "no" } })).toEqual([
      { queue: "crm", upTo: 7, search: "no", group: "a" },
      { queue: "crm", upTo: 7, ids: ["3"] },
    ]);
  });
});

describe("what is shown of a queue", () => {
  const resource = (name: string, ...events: string[]) => ({
    name,
    exchange: "",
    queue: "",
    types: events.map((event) => `${name}.${event}`),
  });
  const both = [resource("item", "created", "deleted"), resource("order", "created", "deleted")];

  test.each([
    [["item.created", "item.deleted"], both, ["item.*"]],
    [["item.created", "item.deleted", "item.erased", "order.created"], both, ["item.*", "order.created"]],
    [["item.created", "item.deleted", "order.created", "order.deleted"], both, ["#"]],
    [["item.created", "item.deleted"], both.slice(0, 1), ["item.*"]],
    [["schedule.due"], both, ["schedule.due"]],
    [["item.created"], [], ["item.created"]],
    [[], both, []],
  ])("the events %p", (types, resources, patterns) => expect(patternsOf(types, resources)).toEqual(patterns));

  test("is what its consumers do together; nothing is known of one that has not reported", () => {
    const one = (queue: string, handledPerSecond: number, p99: number | null) =>
      ({ queue, handledPerSecond, handler: p99 === null ? null : { p50: 0, p99, count: 1 } }) as ReportedConsumer;
    const consumers = [one("crm", 2, 0.2), one("crm", 3, 0.1), one("new", 0, null)];
    expect(workOf("crm", consumers)).toMatchObject({ handledPerSecond: 5, handlerP99: 0.2, processes: [{}, {}] });
    expect(workOf("new", consumers)).toMatchObject({ handledPerSecond: 0, handlerP99: null });
    expect(workOf("audit", consumers)).toEqual({ processes: [], handledPerSecond: null, handlerP99: null });
  });

  test("times to come, and a time as a field has it", () => {
    const now = Date.parse("2026-11-29T10:00:00Z");
    const text = (ms: number) => until(new Date(now + ms), now);
    expect([-5, 1000, 2400, 90_000, 7_200_000].map(text)).toEqual(["now", "now", "in 2 s", "in 2 min", "in 2 h"]);
    expect([localTime(null), localTime("nonsense")]).toEqual(["", ""]);
    expect(new Date(localTime("2026-11-29T10:00:05.999Z")).toISOString()).toBe("2026-11-29T10:00:05.000Z");
  });
});
