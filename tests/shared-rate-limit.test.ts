// One rate limit for all processes that serve a client.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { limitRate } from "../src/http/rate-limit";
import { longestTold, type Peers } from "../src/store/peers";
import { joined } from "./support/joined-peers";
import { describeWithPostgres } from "./support/postgres";
import { eventually } from "./support/processes";
import { useStores } from "./support/use-stores";

describe("several processes", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());
  const request = new Request("http://localhost/");
  const limitsOf = (processes: readonly Peers[], perSecond: number) => processes.map((peers) => limitRate(perSecond, peers));

  /** Sends a request to each process every 5 ms. Returns how many were let through. */
  function flood(limits: readonly ReturnType<typeof limitRate>[], client: string, ms: number): number {
    let through = 0;
    for (let at = 0; at < ms; at += 5) {
      for (const limit of limits) if (limit(request, client) === undefined) through += 1;
      jest.advanceTimersByTime(5);
    }
    return through;
  }

  test("let through together what one would, and a burst more at the beginning", () => {
    const limits = limitsOf(joined(3).processes, 100);
    flood(limits, "192.0.2.1", 10_000);
    const through = flood(limits, "192.0.2.1", 60_000);
    expect(through).toBeGreaterThan(5600);
    expect(through).toBeLessThan(6400);
  });

  test("let each through three times as much if they do not hear of each other", () => {
    const limits = limitsOf(
      [joined(1), joined(1), joined(1)].flatMap(({ processes }) => processes),
      100,
    );
    flood(limits, "192.0.2.1", 10_000);
    expect(flood(limits, "192.0.2.1", 60_000)).toBeGreaterThan(17_900);
  });

  test("do not count what they refuse, nor other clients", () => {
    const [first, second] = limitsOf(joined(2).processes, 10);
    for (let n = 0; n < 1000; n += 1) first?.(request, "192.0.2.1");
    jest.advanceTimersByTime(200);
    expect(second?.(request, "192.0.2.2")).toBeUndefined();
    expect(second?.(request, "192.0.2.1")?.status).toBe(429);
    jest.advanceTimersByTime(1000);
    expect(second?.(request, "192.0.2.1")).toBeUndefined();
  });

  test("tell nothing while nobody asks, and of the busiest clients if there are too many for a message", () => {
    const { processes, told } = joined(2);
    const [first, second] = limitsOf(processes, 10);
    jest.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
    for (let n = 0; n < 5000; n += 1) first?.(request, `10.0.${n >> 8}.${n & 255}`);
    for (let n = 0; n < 10; n += 1) first?.(request, "192.0.2.1");
    jest.advanceTimersByTime(200);
    expect(told).toHaveLength(1);
    expect(Buffer.byteLength(told[0] as string)).toBeLessThanOrEqual(longestTold);
    expect(second?.(request, "192.0.2.1")?.status).toBe(429);
  });

  test("pass over what they cannot read", () => {
    const { processes } = joined(2);
    const [, second] = limitsOf(processes, 1);
    for (const text of ["", "rates ", "rates x 192.0.2.1", "rates -5 192.0.2.1", "rates 1e9 192.0.2.1", "rates 5", "other 5 192.0.2.1"])
      processes[0]?.tell(text);
    expect(second?.(request, "192.0.2.1")).toBeUndefined();
  });
});

describeWithPostgres("on PostgreSQL", () => {
  const { stores } = useStores(3, []);

  test("a text reaches the other processes, and not the one that sends it", async () => {
    const heard = stores.map(() => [] as string[]);
    const all = Promise.withResolvers<void>();
    for (const [index, store] of stores.entries())
      store.peers?.onTold((text) => {
        heard[index]?.push(text);
        if (text === "end" && heard.filter((texts) => texts.includes("end")).length === 2) all.resolve();
      });
    // A process that has just started may not listen yet.
    const repeated = setInterval(() => stores[0]?.peers?.tell("end"), 20);
    await all.promise;
    clearInterval(repeated);
    expect(heard[0]).toEqual([]);
  });

  test("requests to one process count in another", async () => {
    const request = new Request("http://localhost/");
    const [first, second] = stores.map(({ peers }) => limitRate(5, peers));
    await eventually(async () => {
      for (let n = 0; n < 5; n += 1) first?.(request, "192.0.2.1");
      return second?.(request, "192.0.2.1");
    }, "the second process to refuse");
  });
});
