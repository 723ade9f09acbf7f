import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Signal } from "../src/timing/signal";
import { settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Waits, and says whether the wait is over. */
function waiting(signal: Signal, timeoutMs?: number): { over(): Promise<boolean> } {
  let over = false;
  void signal.wait(timeoutMs).then(() => {
    over = true;
  });
  return {
    async over() {
      await settled();
      return over;
    },
  };
}

test("a raise wakes all waiters; the next wait waits again", async () => {
  const signal = new Signal();
  const first = waiting(signal);
  expect(await first.over()).toBe(false);
  signal.raise();
  expect(await first.over()).toBe(true);
  expect(await waiting(signal).over()).toBe(false);
});

test("a raise without a waiter is kept for the next wait; several count as one", async () => {
  const signal = new Signal();
  signal.raise();
  signal.raise();
  expect(await waiting(signal).over()).toBe(true);
  expect(await waiting(signal).over()).toBe(false);
});

test("a wait ends after its timeout, and does not end the next wait", async () => {
  const signal = new Signal();
  const first = waiting(signal, 100);
  jest.advanceTimersByTime(99);
  expect(await first.over()).toBe(false);
  jest.advanceTimersByTime(1);
  expect(await first.over()).toBe(true);
  const second = waiting(signal);
  jest.advanceTimersByTime(1000);
  expect(await second.over()).toBe(false);
  signal.raise();
  expect(await second.over()).toBe(true);
});

test("a raise cancels the timeout", async () => {
  const signal = new Signal();
  const first = waiting(signal, 100);
  signal.raise();
  expect(await first.over()).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

test("a wait longer than the longest timer does not end at once", async () => {
  const signal = new Signal();
  const first = waiting(signal, 2 ** 31 + 1000);
  jest.advanceTimersByTime(2 ** 31 - 2);
  expect(await first.over()).toBe(false);
  signal.raise();
  expect(await first.over()).toBe(true);
});
