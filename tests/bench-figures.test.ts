// What the bench says must follow from what it measured.
import { describe, expect, test } from "bun:test";
import { type Aim, type Benchmark, mustEqual, VoidRun } from "../bench/benchmark";
import { compare, limited, runRounds, summarize } from "../bench/rounds";
import { mustMatchAnswers } from "../bench/servers";
import { median, percentile, spread } from "../bench/statistics";
import { resultTable } from "../bench/table";
import type { Load } from "../bench/wrk";

describe("figures", () => {
  test("the median of an even number of values is between the middle two", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  });

  test("a percentile is a value that was measured, and the share does not exceed it", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1), percentile([5], 0.5)]).toEqual([100, 198, 200, 5]);
  });

  test("the spread is the range as a share of the median", () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.3);
  });
});

describe("rounds", () => {
  const ran: string[] = [];
  const contender = (name: string, values: number[]) => ({
    name,
    async run() {
      ran.push(name);
      return { perSecond: values.shift() ?? Number.NaN };
    },
  });
  const benchmark: Benchmark = {
    name: "example",
    title: "An example",
    needs: [],
    columns: [{ key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 0.9 } }],
    // The machine is half as fast in the second round, which meets both.
    warren: contender("warren", [1000, 500, 1200]),
    baseline: contender("echo", [1000, 625, 1000]),
  };

  test("both run in each round, and take turns in going first; the ratio is the median of the rounds' own", async () => {
    const notNeeded = () => Promise.reject(new Error("not needed"));
    const amounts = { seconds: 1, events: 1, minutes: 1, size: undefined };
    const context = { ...amounts, folder: "", seeded: notNeeded, broker: notNeeded };
    const result = await runRounds(
      benchmark,
      3,
      async () => context,
      () => {},
    );
    expect(ran).toEqual(["warren", "echo", "echo", "warren", "warren", "echo"]);
    expect(summarize(result, result.warren)).toEqual({ medians: { perSecond: 1000 }, spread: 0.7 });
    expect(compare(result)).toMatchObject([{ ratio: 1, met: true }]);
    expect(resultTable(result)).toContain("warren / echo, req/s: 1.00   aim: at least 0.90, met");
  });
});

describe("a limit is about Warren's own figure, whatever the baseline's", () => {
  const never = { name: "", run: () => Promise.reject(new Error("not needed")) };
  const result = (limit: Aim, ...values: number[]) => ({
    benchmark: {
      name: "example",
      title: "An example",
      needs: [],
      columns: [{ key: "seconds", label: "backlog s", digits: 1, limit }] as const,
      warren: { ...never, name: "warren" },
      baseline: { ...never, name: "sketch" },
    },
    warren: values.map((seconds) => ({ seconds })),
    baseline: values.map(() => ({ seconds: Number.NaN })),
  });

  test.each<[Aim, boolean]>([
    [{ atMost: 2 }, true],
    [{ atMost: 1.9 }, false],
    [{ atLeast: 2 }, true],
    [{ atLeast: 2.1 }, false],
  ])("%p of a median of 2 is met: %p", (limit, met) => {
    expect(limited(result(limit, 1, 2, 9))).toMatchObject([{ value: 2, met }]);
    expect(resultTable(result(limit, 1, 2, 9))).toContain(`warren, backlog s: 2.0   aim: ${"atMost" in limit ? "at most" : "at least"}`);
  });

  test("what was not measured meets none", () => {
    expect(limited(result({ atMost: 2 }, Number.NaN))).toMatchObject([{ met: false }]);
  });
});

describe("a run is void", () => {
  const load = (answers: number): Load => ({ answers, perSecond: 0, p50Ms: 0, p99Ms: 0 });

  test("when counts differ that must be the same", () => {
    expect(() => mustEqual({ items: 5, events: 5 })).not.toThrow();
    expect(() => mustEqual({ items: 5, "events in the log": 4 })).toThrow(
      new VoidRun("these counts must be equal: items 5, events in the log 4"),
    );
  });

  test("when an item is missing that was answered for, or more are there than can have been under way", () => {
    expect(() => mustMatchAnswers(300, load(100), load(200))).not.toThrow();
    expect(() => mustMatchAnswers(300 + 2 * 64, load(100), load(200))).not.toThrow();
    expect(() => mustMatchAnswers(299, load(100), load(200))).toThrow(VoidRun);
    expect(() => mustMatchAnswers(301 + 2 * 64, load(100), load(200))).toThrow(VoidRun);
  });
});
