import { jest } from "bun:test";

/**
 * Resolves when everything that needs no timer, network or test has run. Use it to show that something does *not* happen; for something
 * that does, wait for its signal.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

/** Moves the fake timers, and lets everything that this wakes run. */
export async function advance(ms: number): Promise<void> {
  await settled();
  jest.advanceTimersByTime(ms);
  await settled();
}
