// What the Overview draws: the flow of events in the past, from samples at any times.
import { expect, test } from "bun:test";
import { Distribution } from "../src/observe/tally";
import { StatusHistory } from "../src/status/history";
import { latencyOf, RecentLatency } from "../src/status/latency";

const start = Date.UTC(2026, 1, 18, 18, 0, 0);
const at = (seconds: number) => start + seconds * 1000;
const tail = (values: readonly (number | null)[], count: number) => values.slice(-count);

test("what was committed is a rate of each step; without a sample, nothing was", () => {
  const history = new StatusHistory();
  history.add(at(0.2), { committed: 100 });
  history.add(at(1.1), { committed: 103 });
  history.add(at(2.9), { committed: 106 });
  history.add(at(7.5), { committed: 112 });
  const { committed, confirmed, from, to, stepSeconds } = history.read("15m", at(11.9));
  expect([from, to, stepSeconds, committed.length]).toEqual(["2026-02-18T17:45:12.000Z", "2026-02-18T18:00:12.000Z", 3, 300]);
  // 6 in the first three seconds, of which the first sample is the beginning; then none, 6, none.
  expect(tail(committed, 5)).toEqual([null, null, 0, 2, 0]);
  expect(tail(history.read("15m", at(8.9)).committed, 3)).toEqual([null, 0, 2.07]);
  expect(confirmed.every((rate) => rate === null)).toBe(true);
});

test("what consumers did is known where somebody looked, as the mean since the look before", () => {
  const history = new StatusHistory();
  for (const [second, handled] of [
    [0, 50],
    [3, 56],
    [30, 110],
    [33, 113],
  ] as const)
    history.add(at(second), { handled, waiting: [{ queue: "stock", messages: handled }] });
  const { handled, queues } = history.read("15m", at(35.9));
  expect(tail(handled, 12)).toEqual([null, 2, null, null, null, null, null, null, null, null, 2, 1]);
  expect(queues.map(({ queue, waiting }) => [queue, tail(waiting, 3)])).toEqual([["stock", [null, 110, 113]]]);
});

test("consumers that work steadily have a steady rate, though they report every five seconds", () => {
  const history = new StatusHistory();
  for (let second = 0; second < 60; second += 1) history.add(at(second), { handled: Math.floor(second / 5) * 100 });
  expect([...new Set(tail(history.read("15m", at(59)).handled, 15))]).toEqual([20]);
});

test("minutes are kept for a day, with at most 300 points", () => {
  const history = new StatusHistory();
  for (let minute = 0; minute < 26 * 60; minute += 1) history.add(at(minute * 60), { committed: minute * 120 });
  const now = at(26 * 3600 - 1);
  for (const [range, points, step] of [
    ["1h", 60, 60],
    ["6h", 180, 120],
    ["24h", 288, 300],
  ] as const) {
    const { committed, stepSeconds } = history.read(range, now);
    expect([range, stepSeconds, committed.length]).toEqual([range, step, points]);
    expect([...new Set(committed.slice(1, -1))]).toEqual([2]);
  }
});

test("a counter that starts again, or a clock that is set back, makes no rate below 0", () => {
  const history = new StatusHistory();
  history.add(at(10), { committed: 50 });
  history.add(at(4), { committed: 51 });
  history.add(at(13), { committed: 3 });
  expect(history.read("15m", at(14)).committed.every((rate) => rate === null || rate >= 0)).toBe(true);
});

test("50 queues are kept, and no more", () => {
  const history = new StatusHistory();
  history.add(at(0), { waiting: Array.from({ length: 60 }, (_, n) => ({ queue: `q${n}`, messages: n })) });
  expect(history.read("15m", at(1)).queues.length).toBe(50);
});

test("a latency is between the bounds of its range", () => {
  expect(latencyOf({ bounds: [1, 2, 4], counts: [50, 49, 0, 1] })).toEqual({ p50: 1, p99: 2, count: 100 });
  expect(latencyOf({ bounds: [1, 2, 4], counts: [0, 10, 0, 0] })).toEqual({ p50: 1.5, p99: 1.99, count: 10 });
  expect(latencyOf({ bounds: [1, 2, 4], counts: [0, 0, 0, 3] })).toEqual({ p50: 4, p99: 4, count: 3 });
  expect(latencyOf({ bounds: [1, 2, 4], counts: [0, 0, 0, 0] })).toBeNull();
});

test("the latency is of the last minute, or since the start for as long as nobody has looked a minute ago", () => {
  const distribution = new Distribution([1, 2]);
  const recent = new RecentLatency(() => distribution);
  distribution.record(0.5);
  expect(recent.look(0)?.count).toBe(1);
  expect(recent.look(1000)?.count).toBe(1);
  distribution.record(0.5);
  expect(recent.look(59_000)?.count).toBe(2);
  expect(recent.look(62_000)?.count).toBe(1);
  expect(recent.look(200_000)).toBeNull();
});
