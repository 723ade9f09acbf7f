import { type Duration, durationMs } from "../../config/duration";
import { type ClockControl, now } from "../../timing/clock";

/** The clock of a test's service: the times of records and events, due retries, circuit breakers and idempotency keys. */
export interface TestClock {
  /** Returns the time of the service. */
  now(): Date;
  /**
   * Lets time pass, such as `"3d"`, `"31m"` or milliseconds. What is due meanwhile happens in the order of its time, each at its own time,
   * and is settled before the time moves on. Resolves when all is settled. Timers of JavaScript, as in a handler, and other processes
   * are not affected. Services of the same process share the clock.
   *
   * @throws {TypeError} if it is no duration.
   * @throws {Error} as `settled` does.
   */
  advance(duration: Duration): Promise<void>;
}

/**
 * @param untilDueMs resolves with the milliseconds until the next thing is due, or Infinity.
 * @param settled resolves when all is settled.
 */
export function testClock(control: ClockControl, untilDueMs: () => Promise<number>, settled: () => Promise<void>): TestClock {
  return {
    now: () => new Date(now()),
    async advance(duration) {
      const end = now() + durationMs(duration);
      await settled();
      for (let leftMs = end - now(); leftMs > 0; leftMs = end - now()) {
        control.move(Math.min(leftMs, Math.max(1, Math.ceil(await untilDueMs()))));
        await settled();
      }
    },
  };
}
