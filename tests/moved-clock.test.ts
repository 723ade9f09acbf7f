// The clock of the product in the hands of a test.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { type ClockControl, controlClock, now, steadyNow, timestamp, wakeAt, wakeIn } from "../src/timing/clock";
import { pause } from "../src/timing/pause";
import { Signal } from "../src/timing/signal";

const dayMs = 86_400_000;

let clock: ClockControl;
beforeEach(() => {
  clock = controlClock();
});
afterEach(() => {
  clock.release();
  jest.useRealTimers();
});

test("all its times move together, and are those of the system again once every test has released it", () => {
  const other = controlClock();
  const before = [now(), steadyNow(), Date.parse(timestamp())];
  clock.move(3 * dayMs);
  const after = [now(), steadyNow(), Date.parse(timestamp())];
  for (const [index, time] of after.entries()) expect(time - (before[index] as number)).toBeWithin(3 * dayMs, 3 * dayMs + 60_000);
  other.release();
  expect(now() - Date.now()).toBeGreaterThan(2 * dayMs);
  clock.release();
  expect(Math.abs(now() - Date.now())).toBeLessThan(60_000);
  clock = controlClock();
});

test("a move ends the waits whose time has come, in order of time, and no others", () => {
  const woken: string[] = [];
  wakeAt(now() + 2 * dayMs, () => woken.push("date"));
  wakeAt(steadyNow() + dayMs, () => woken.push("duration"), steadyNow);
  wakeAt(now() + 4 * dayMs, () => woken.push("late"));
  const cancel = wakeAt(now() + dayMs, () => woken.push("cancelled"));
  wakeIn(1.5 * dayMs, () => woken.push("look"));
  cancel();
  clock.move(3 * dayMs);
  expect(woken).toEqual(["duration", "look", "date"]);
  clock.move(dayMs);
  expect(woken).toEqual(["duration", "look", "date", "late"]);
  clock.move(dayMs);
  expect(woken).toHaveLength(4);
});

test("knows when the next thing is due, without the loops that look at intervals", () => {
  expect(clock.untilDueMs()).toBe(Number.POSITIVE_INFINITY);
  const cancelLook = wakeIn(1000, () => {});
  const cancel = wakeAt(now() + dayMs, () => {});
  expect(clock.untilDueMs()).toBeWithin(dayMs - 60_000, dayMs + 1);
  cancelLook();
  cancel();
  expect(clock.untilDueMs()).toBe(Number.POSITIVE_INFINITY);
});

test("a wait of a signal and a pause end with it", async () => {
  const stop = new AbortController();
  const waits = Promise.all([new Signal().wait(dayMs), pause(dayMs, stop.signal)]);
  clock.move(dayMs);
  await waits;
});

test("a wait for a time that has passed ends soon, never at once", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isWoken = false;
  wakeAt(now() - dayMs, () => {
    isWoken = true;
    resolve();
  });
  expect(isWoken).toBe(false);
  await promise;
});

test("a wait longer than the longest timer looks at the clock until its time has come", () => {
  jest.useFakeTimers();
  let woken = 0;
  const at = now() + 60 * dayMs;
  const cancel = wakeAt(at, () => {
    woken += 1;
  });
  jest.advanceTimersByTime(120_000);
  expect(woken).toBe(0);
  jest.setSystemTime(at);
  jest.advanceTimersByTime(60_000);
  expect(woken).toBe(1);
  cancel();
});
