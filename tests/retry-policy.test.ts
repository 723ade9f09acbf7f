// Delays of failed events: those of the policy, and those that a handler asks for.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RetryAfter } from "warren/consumer";
import { testConsumer } from "warren/testing";
import { askedDelayMs, defaultRetry, delayMs, type RetryPolicy, retryPolicy } from "../src/delivery/retry-policy";

const dayMs = 86_400_000;
const anyPolicy: fc.Arbitrary<RetryPolicy> = fc
  .record({
    attempts: fc.integer({ min: 1, max: 1000 }),
    firstDelayMs: fc.integer({ min: 1, max: dayMs }),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    above: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ above, ...policy }) => ({ ...policy, longestDelayMs: policy.firstDelayMs + Math.round((dayMs - policy.firstDelayMs) * above) }));
const failures = fc.integer({ min: 1, max: 1000 });
const chance = fc.double({ min: 0, max: 1, noNaN: true });

describe("the policy's delay", () => {
  test("is by default 1, 2, 4, 8 s and so on, each varied by a quarter, and at most a minute", () => {
    const delays = (chance: number) => [1, 2, 3, 4, 5, 6, 7, 8].map((failed) => delayMs(failed, defaultRetry, chance));
    expect(delays(0)).toEqual([750, 1500, 3000, 6000, 12_000, 24_000, 48_000, 60_000]);
    expect(delays(0.5)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(delays(1)).toEqual([1250, 2500, 5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  test("is a whole number of milliseconds from 1 to the policy's longest, whatever the policy", () => {
    fc.assert(
      fc.property(failures, anyPolicy, chance, (failed, policy, chance) => {
        const delay = delayMs(failed, policy, chance);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(1);
        expect(delay).toBeLessThanOrEqual(policy.longestDelayMs);
      }),
      { numRuns: 1000 },
    );
  });

  test("never shrinks from one attempt to the next, at the same chance", () => {
    fc.assert(
      fc.property(failures, anyPolicy, chance, (failed, policy, chance) => {
        expect(delayMs(failed + 1, policy, chance)).toBeGreaterThanOrEqual(delayMs(failed, policy, chance));
      }),
    );
  });

  test("has at most three values for an attempt: each is a queue in the broker", () => {
    fc.assert(
      fc.property(failures, anyPolicy, fc.array(chance, { minLength: 20, maxLength: 50 }), (failed, policy, chances) => {
        expect(new Set(chances.map((chance) => delayMs(failed, policy, chance))).size).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe("the delay that a handler asks for", () => {
  test.each([
    [0, 100],
    [1, 100],
    [100, 100],
    [101, 200],
    [1000, 1000],
    [1001, 2000],
    [10_000, 10_000],
    [10_001, 15_000],
    [60_000, 60_000],
    [60_001, 90_000],
    [600_000, 600_000],
    [600_001, 900_000],
    [3_600_000, 3_600_000],
    [3_600_001, 7_200_000],
    [dayMs, dayMs],
    [dayMs + 1, dayMs],
    [Number.POSITIVE_INFINITY, dayMs],
  ])("%p ms is rounded up to %p ms", (asked, given) => {
    expect(askedDelayMs(asked)).toBe(given);
  });

  test("is never less than asked, up to a day, and no more than twice that from 100 ms on", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 * dayMs, noNaN: true }), (asked) => {
        const given = askedDelayMs(asked);
        expect(Number.isInteger(given)).toBe(true);
        expect(given).toBeGreaterThanOrEqual(Math.min(asked, dayMs));
        expect(given).toBeLessThanOrEqual(Math.max(100, Math.min(dayMs, asked * 2)));
      }),
      { numRuns: 1000 },
    );
  });

  test("is one of at most 80: each is a queue in the broker", () => {
    const given = new Set<number>();
    for (let asked = 0; asked <= dayMs + 100_000; asked += 50) given.add(askedDelayMs(asked));
    expect(given.size).toBeLessThanOrEqual(80);
    expect(given.size).toBeGreaterThan(50);
  });

  test("is a number from 0: anything else is a mistake of the handler's", () => {
    for (const delay of [-1, Number.NaN, undefined as unknown as number]) expect(() => new RetryAfter(delay)).toThrow(TypeError);
    expect(new RetryAfter(5000)).toMatchObject({ name: "RetryAfter", delayMs: 5000, message: "Try again after 5000 ms" });
  });
});

describe("an invalid policy is refused at the start, with valid values:", () => {
  test.each<[string, Partial<RetryPolicy>]>([
    ["retry.attempts is 0; use a whole number from 1 to 1000.", { attempts: 0 }],
    ["retry.attempts is 1.5; use a whole number from 1 to 1000.", { attempts: 1.5 }],
    ["retry.attempts is 1001; use a whole number from 1 to 1000.", { attempts: 1001 }],
    ["retry.attempts is Infinity; use a whole number from 1 to 1000.", { attempts: Number.POSITIVE_INFINITY }],
    ["retry.firstDelayMs is 0; use milliseconds from 1 to 86,400,000 (a day).", { firstDelayMs: 0 }],
    ["retry.firstDelayMs is 86400001; use milliseconds from 1 to 86,400,000 (a day).", { firstDelayMs: dayMs + 1 }],
    ["retry.factor is 0.5; use a number from 1 to 100.", { factor: 0.5 }],
    ["retry.factor is NaN; use a number from 1 to 100.", { factor: Number.NaN }],
    ["retry.longestDelayMs is 999; use milliseconds from firstDelayMs to 86,400,000 (a day).", { longestDelayMs: 999 }],
    ["retry.longestDelayMs is 60000; use milliseconds from firstDelayMs to 86,400,000 (a day).", { firstDelayMs: 61_000 }],
    ["retry.attempts is 5; use a whole number from 1 to 1000.", { attempts: "5" as unknown as number }],
  ])("%s", (message, policy) => {
    expect(() => retryPolicy(policy)).toThrow(new TypeError(message));
    expect(() => testConsumer({ queue: "retries", retry: policy, handle() {} })).toThrow(message);
  });

  test("what is left out is the default", () => {
    expect(retryPolicy()).toEqual(defaultRetry);
    expect(retryPolicy({ attempts: 1 })).toEqual({ ...defaultRetry, attempts: 1 });
  });
});
