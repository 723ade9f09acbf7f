// At most so many events in a second.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { buildEvent, testConsumer } from "warren/testing";
import { TokenBucket } from "../src/timing/token-bucket";
import { advance, settled } from "./support/settled";

describe("a token bucket", () => {
  test("lets a second's worth through at once, then one at a time", () => {
    const bucket = new TokenBucket(4, 0);
    expect([0, 0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 0, 250]);
    expect(bucket.take(249)).toBeCloseTo(1);
    expect(bucket.take(250)).toBe(0);
    expect(bucket.take(250)).toBe(250);
  });

  test("saves up no more than a second's worth", () => {
    const bucket = new TokenBucket(4, 0);
    expect(Array.from({ length: 5 }, () => bucket.take(3_600_000))).toEqual([0, 0, 0, 0, 250]);
  });

  test("takes a rate below one a second", () => {
    const bucket = new TokenBucket(0.1, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(9999), bucket.take(10_000)]).toEqual([0, 10_000, expect.closeTo(1) as number, 0]);
  });

  test("never lets more through in any stretch than its rate allows, and who waits as long as it says is let through", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 10_000, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1, maxLength: 100 }),
        (perSecond, pauses) => {
          const bucket = new TokenBucket(perSecond, 0);
          let now = 0;
          let through = 0;
          for (const pause of pauses) {
            now += pause;
            const waitMs = bucket.take(now);
            if (waitMs === 0) through += 1;
            else {
              now += waitMs * 1.000001;
              expect(bucket.take(now)).toBe(0);
              through += 1;
            }
          }
          expect(through).toBeLessThanOrEqual(Math.max(1, perSecond) + (now / 1000) * perSecond + 0.001);
        },
      ),
    );
  });
});

describe("a consumer with ratePerSecond", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test("handles no more than that, and loses none", async () => {
    const handled: number[] = [];
    await using consumer = testConsumer<"item.*">({ queue: "slow", ratePerSecond: 10, handle: ({ item }) => void handled.push(item.id) });
    const ids = Array.from({ length: 25 }, (_, index) => index + 1);
    const outcomes = Promise.all(ids.map((id) => consumer.deliver(buildEvent("item.created", { id }))));
    await settled();
    expect(handled).toHaveLength(10);
    for (const more of [11, 12, 13]) {
      await advance(100);
      expect(handled).toHaveLength(more);
    }
    for (let step = 0; step < 12; step += 1) await advance(100);
    await outcomes;
    expect(handled).toEqual(ids);
  });

  test("shortens a batch to what the rate allows", async () => {
    const batches: number[] = [];
    await using consumer = testConsumer({
      queue: "slow",
      ratePerSecond: 4,
      batch: { size: 6, waitMs: 0 },
      handleBatch: (events) => void batches.push(events.length),
    });
    const outcomes = Promise.all(Array.from({ length: 7 }, (_, index) => consumer.deliver(buildEvent("item.created", { id: index + 1 }))));
    await settled();
    expect(batches).toEqual([1, 3]);
    for (let step = 0; step < 4; step += 1) await advance(250);
    await outcomes;
    expect(batches.reduce((sum, size) => sum + size)).toBe(7);
  });

  test("events that it does not ask for, and garbage, take nothing of the rate", async () => {
    const handled: number[] = [];
    await using consumer = testConsumer({
      queue: "slow",
      events: ["item.created"],
      ratePerSecond: 1,
      handle: ({ item }) => void handled.push(item.id),
    });
    for (let count = 0; count < 20; count += 1) {
      expect(await consumer.deliver(buildEvent("item.deleted"))).toMatchObject({ result: "skipped" });
      expect(await consumer.deliver("garbage")).toMatchObject({ action: "dead-letter" });
    }
    expect(await consumer.deliver(buildEvent("item.created"))).toMatchObject({ result: "handled" });
  });
});
