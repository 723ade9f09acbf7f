// testService() of warren/testing with consumers, and its clock.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type ConsumerOptions, Reject } from "warren/consumer";
import { type TestService, testService } from "warren/testing";
import { now } from "../src/timing/clock";
import { temporaryFolder } from "./support/folder";

const minuteMs = 60_000;
const lamp = { name: "Lamp", price: 39.9 };

type Handled = Extract<
  ConsumerOptions<"item.created">,
  { readonly handle: unknown; readonly exactlyOnce?: false; readonly schedule?: undefined }
>;

/** Returns a consumer that notes the names of created items. */
function noting(queue: string, noted: string[], options: Partial<Handled> = {}) {
  return {
    queue,
    events: ["item.created"],
    handle: ({ item }) => void noted.push(`${queue} ${item.name}`),
    ...options,
  } satisfies Handled;
}

describe("settled", () => {
  test("waits until each consumer has handled each event, and what their handlers cause", async () => {
    const noted: string[] = [];
    let change: TestService["patch"] = () => Promise.reject(new Error("too early"));
    await using service = await testService({
      consumers: [
        { queue: "raise", events: ["item.created"], handle: ({ item }) => change(`/items/${item.id}`, { price: 50 }) },
        {
          queue: "watch",
          events: ["item.updated"],
          handle: ({ item }) => void noted.push(`${item.name} costs ${item.price}`),
        },
        { queue: "count", concurrency: 4, handle: (event) => void noted.push(event.type) },
      ],
    });
    change = service.patch;
    await service.settled();
    for (const name of ["Lamp", "Desk"]) await service.post("/items", { name });
    await service.settled();
    expect(noted.sort()).toEqual(["Desk costs 50", "Lamp costs 50", "item.created", "item.created", "item.updated", "item.updated"]);
    expect((await service.events("item.updated")).map(({ item }) => item.price)).toEqual([50, 50]);
    expect((await service.events()).map(({ type }) => type)).toHaveLength(4);
  });

  test("waits for handlers that take their time, and for more events than a consumer takes at once", async () => {
    const noted: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using service = await testService({
      consumers: [noting("slow", noted, { prefetch: 2, handle: ({ item }) => released.then(() => void noted.push(item.name)) })],
    });
    const names = Array.from({ length: 20 }, (_, index) => `item ${index}`);
    for (const name of names) await service.post("/items", { name });
    const settled = service.settled().then(() => noted.length);
    await new Promise(setImmediate);
    expect(noted).toEqual([]);
    release();
    expect(await settled).toBe(20);
    expect(noted).toEqual(names);
  });

  test("two consumers share a queue, and a temporary one gets what comes from now on", async () => {
    const noted: string[] = [];
    await using service = await testService({
      consumers: [noting("shared", noted), noting("shared", noted), { events: ["item.*"], handle: ({ type }) => void noted.push(type) }],
    });
    await service.post("/items", lamp);
    await service.settled();
    expect(noted.sort()).toEqual(["item.created", "shared Lamp"]);
  });

  test("knows of dead letters, and of those that are put back", async () => {
    const noted: string[] = [];
    let isRefused = true;
    const handle: Handled["handle"] = ({ item }) => {
      if (isRefused) throw new Reject("not today");
      noted.push(item.name);
    };
    await using service = await testService({ consumers: [noting("picky", noted, { handle })] });
    await service.post("/items", lamp);
    await service.settled();
    expect(await service.deadLetters("picky")).toMatchObject([{ reason: "rejected", error: "not today", attempts: 1 }]);
    isRefused = false;
    await service.as("admin").post("/dead-letters/picky/redrive", {});
    await service.settled();
    expect([noted, await service.deadLetters("picky")]).toEqual([["Lamp"], []]);
  });

  test("effects of exactlyOnce are there", async () => {
    const rows: number[] = [];
    await using service = await testService({
      consumers: [
        {
          queue: "once",
          events: ["item.created"],
          exactlyOnce: true,
          setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS seen (item INTEGER)"),
          async handle({ item }, { tx }) {
            await tx.run("INSERT INTO seen VALUES (?)", item.id);
            rows.push((await tx.all("SELECT * FROM seen")).length);
          },
        },
      ],
    });
    await service.post("/items", lamp);
    await service.post("/items", lamp);
    await service.settled();
    expect(rows).toEqual([1, 2]);
  });
});

describe("the clock", () => {
  test("brings retries, each at its own time, and nothing before", async () => {
    const attempts: string[] = [];
    const failing = (queue: string, firstDelayMs: number) =>
      ({
        queue,
        events: ["item.created"],
        retry: { attempts: 3, firstDelayMs, longestDelayMs: firstDelayMs * 10 },
        handle() {
          attempts.push(queue);
          throw new Error("the printer is off");
        },
      }) satisfies ConsumerOptions<"item.created">;
    await using service = await testService({ consumers: [failing("hours", 3_600_000), failing("minutes", minuteMs)] });
    await service.post("/items", lamp);
    await service.settled();
    expect(attempts.sort()).toEqual(["hours", "minutes"]);
    await service.clock.advance("10m");
    expect(attempts.slice(2)).toEqual(["minutes", "minutes"]);
    const [letter] = await service.deadLetters("minutes");
    const [first = "", last = ""] = [letter?.firstFailure ?? "", letter?.lastFailure ?? ""];
    // 1 and 2 minutes, each varied by up to a quarter.
    expect(Date.parse(last) - Date.parse(first)).toBeWithin(2 * minuteMs, 4 * minuteMs);
    await service.clock.advance("1d");
    expect(attempts.slice(4)).toEqual(["hours", "hours"]);
    expect(await service.deadLetters("hours")).toMatchObject([{ reason: "attempts-exhausted", attempts: 3 }]);
  });

  test("is the one of records, events and idempotency keys", async () => {
    await using service = await testService({ consumers: [] });
    const create = async () => {
      const headers = { "content-type": "application/json", "idempotency-key": "one" };
      return (await (await service.fetch("/items", { method: "POST", headers, body: JSON.stringify(lamp) })).json()) as { id: number };
    };
    expect([(await create()).id, (await create()).id]).toEqual([1, 1]);
    await service.clock.advance("2d");
    expect((await create()).id).toBe(2);
    const [first, second] = await service.events("item.created");
    const days = (text?: string) => Date.parse(text ?? "") / 86_400_000;
    expect(days(second?.timestamp) - days(first?.timestamp)).toBeCloseTo(2, 1);
    expect(days(second?.item.createdAt)).toBeCloseTo(service.clock.now().getTime() / 86_400_000, 1);
  });

  test("ends the pause of a circuit breaker, for which settled does not wait", async () => {
    let calls = 0;
    let isOff = true;
    const handle = () => {
      calls += 1;
      if (isOff) throw new Error("off");
    };
    await using service = await testService({
      consumers: [noting("printer", [], { handle, breaker: { minimum: 2 }, retry: { attempts: 9 } })],
    });
    for (let count = 0; count < 5; count += 1) await service.post("/items", lamp);
    await service.settled();
    const before = calls;
    expect(before).toBeLessThan(5);
    isOff = false;
    await service.clock.advance("10m");
    expect(calls - before).toBe(5);
  });

  test("of a service that has stopped is the system's again", async () => {
    const service = await testService({ consumers: [] });
    await service.clock.advance("1w");
    expect(now() - Date.now()).toBeGreaterThan(6 * 86_400_000);
    await service.stop();
    expect(Math.abs(now() - Date.now())).toBeLessThan(minuteMs);
  });

  test("refuses what is no duration", async () => {
    await using service = await testService({ consumers: [] });
    await expect(service.clock.advance("soon")).rejects.toThrow('"soon" is no duration');
  });
});

test("a consumer with a mistake is refused, and nothing stays behind", async () => {
  const folder = temporaryFolder();
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder.path;
  try {
    await expect(testService({ consumers: [noting("good", []), noting("bad", [], { concurrency: 0 })] })).rejects.toThrow("concurrency");
    expect(readdirSync(folder.path)).toEqual([]);
    expect(Math.abs(now() - Date.now())).toBeLessThan(minuteMs);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    folder.remove();
  }
});
