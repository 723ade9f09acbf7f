// Consumers with a schedule: their options, what becomes of their events, and how a test moves time for them.
import { describe, expect, test } from "bun:test";
import { type ConsumerOptions, Reject, runConsumer, runConsumers } from "warren/consumer";
import { buildTick, testConsumer, testService } from "warren/testing";

const every = (queue: string, schedule: string, noted: string[]) =>
  ({
    queue,
    schedule,
    handle: ({ schedule: { dueAt, name } }) => void noted.push(`${name} ${dueAt.slice(11, 16)}`),
  }) satisfies ConsumerOptions;

describe("testService", () => {
  test("calls the handler at its times, only its own, while the clock moves", async () => {
    const noted: string[] = [];
    await using service = await testService({
      consumers: [
        every("hourly", "0 * * * *", noted),
        every("daily", "30 9 * * *", noted),
        { queue: "all", handle: ({ type }) => void noted.push(type) },
        { queue: "items", events: ["item.created"], handle: ({ item }) => void noted.push(item.name) },
      ],
    });
    await service.clock.advance("1d");
    expect(noted.filter((one) => one.startsWith("hourly"))).toHaveLength(24);
    expect(noted.filter((one) => one.startsWith("daily"))).toEqual(["daily 09:30"]);
    expect(noted).toHaveLength(25);
    expect(await service.events("schedule.*" as "#")).toHaveLength(25);
    await service.post("/items", { name: "Lamp", price: 1 });
    await service.settled();
    expect(noted.slice(25).toSorted()).toEqual(["Lamp", "item.created"]);
  });

  test("goes on for weeks: consumers announce their schedules", async () => {
    const noted: string[] = [];
    await using service = await testService({ consumers: [every("monthly", "0 0 1 * *", noted)] });
    await service.clock.advance("9w");
    expect(noted.length).toBeGreaterThanOrEqual(2);
  });

  test("retries it, gives it up, and calls again at the next time", async () => {
    const noted: number[] = [];
    let fails = true;
    await using service = await testService({
      consumers: [
        {
          queue: "report",
          schedule: "0 9 * * *",
          timeZone: "Europe/London",
          retry: { attempts: 2 },
          handle(_, { attempt }) {
            noted.push(attempt);
            if (fails) throw new Error("Nobody answers");
          },
        },
      ],
    });
    await service.clock.advance("1d");
    expect(noted).toEqual([1, 2]);
    expect(await service.deadLetters("report")).toMatchObject([{ type: "schedule.due", reason: "attempts-exhausted" }]);
    fails = false;
    await service.clock.advance("1d");
    expect(noted).toEqual([1, 2, 1]);
  });

  test("changes resources, and what it changes has the time as its cause", async () => {
    const { item } = await import("../src/domain/item");
    await using service = await testService({
      consumers: [
        {
          queue: "restock",
          schedule: "@daily",
          handle: async ({ schedule }, { change }) =>
            void (await change.insert(item, { name: schedule.name, description: null, price: 2 })),
        },
      ],
    });
    await service.clock.advance("1d");
    const [tick, created] = (await service.events()) as unknown as Record<string, unknown>[];
    expect(created).toMatchObject({ type: "item.created", item: { name: "restock" }, cause: tick?.["id"], depth: 1 });
    const timeline = await service.get(`/events/${tick?.["id"]}/timeline`);
    expect(timeline).toMatchObject({
      type: "schedule.due",
      caused: [{ type: "item.created" }],
      consumers: [{ queue: "restock", state: "handled" }],
    });
  });
});

test("testConsumer delivers what buildTick builds, and passes over other consumers' times", async () => {
  const noted: string[] = [];
  await using consumer = testConsumer(every("daily", "30 9 * * *", noted));
  expect(await consumer.deliver(buildTick("daily", "2026-02-18T09:30:00.000Z"))).toEqual({ action: "ack", result: "handled" });
  expect(await consumer.deliver(buildTick("other"))).toEqual({ action: "ack", result: "skipped" });
  expect(noted).toEqual(["daily 09:30"]);
  await using rejecting = testConsumer({
    queue: "once",
    schedule: "@hourly",
    exactlyOnce: true,
    setup: (tx) => tx.run("CREATE TABLE runs (at TEXT)"),
    handle: async ({ schedule }, { tx }) => {
      await tx.run("INSERT INTO runs VALUES (?)", schedule.dueAt);
      if (schedule.dueAt === "2026-02-18T10:00:00.000Z") throw new Reject("no");
    },
  });
  const tick = buildTick("once", "2026-02-18T09:00:00.000Z");
  await rejecting.deliver(tick);
  expect(await rejecting.deliver(tick)).toEqual({ action: "ack", result: "duplicate" });
  expect(await rejecting.deliver(buildTick("once", "2026-02-18T10:00:00.000Z"))).toMatchObject({
    action: "dead-letter",
    reason: "rejected",
  });
  expect(await rejecting.rows("SELECT at FROM runs")).toEqual([{ at: "2026-02-18T09:00:00.000Z" }]);
});

describe("options", () => {
  const handle = () => {};
  test.each([
    [{ queue: "q", schedule: "0 25 * * *" }, /schedule is "0 25 \* \* \*", which is no pattern of cron .* Use five parts/],
    [{ queue: "q", schedule: "0 0 31 2 *" }, /never comes/],
    [{ queue: "q", schedule: "@daily", timeZone: "Europe/Londn" }, /timeZone is "Europe\/Londn"; use/],
    [{ queue: "q", schedule: "@daily", missed: "twice" }, /missed is "twice"; use "once" or "skip"/],
    [{ queue: "q", schedule: "@daily", overlap: "yes" }, /overlap is yes; use true or false/],
    [{ queue: "q", schedule: "@daily", events: ["item.created"] }, /either `events` or a `schedule`; use two consumers/],
    [{ schedule: "@daily" }, /needs a `queue`/],
    [{ queue: "item_events", schedule: "@daily" }, /is the queue of item events; a `schedule` needs a queue of its own/],
    [{ queue: "q", timeZone: "UTC" }, /timeZone is for a consumer with a `schedule`/],
    [{ queue: "q", events: ["schedule.due"] }, /"schedule.due" is not for `events`: set a `schedule`/],
    [{ queue: "q", schedule: "@daily", handle: undefined, handleBatch: handle }, /one by one: use `handle`/],
  ])("%j is refused with what would be right", (options, message) => {
    expect(() => testConsumer({ handle, ...options } as never)).toThrow(message);
  });

  test("the types refuse what makes no sense", () => {
    const schedule = String(1);
    const compiled = () => [
      runConsumer({
        queue: "q",
        schedule,
        handle: ({ schedule, type }) => [schedule.id satisfies number, type satisfies "schedule.due"],
      }),
      runConsumers([
        { queue: "a", schedule: "@daily", missed: "skip", overlap: true, handle: ({ schedule }) => schedule.name },
        { queue: "b", events: ["item.created"], handle: ({ type }) => type },
      ]),
      // @ts-expect-error
      runConsumer({ queue: "q", schedule: "@daily", events: ["item.created"], handle: () => 1 }),
      // @ts-expect-error
      runConsumer({ schedule: "@daily", handle: () => 1 }),
      // @ts-expect-error
      runConsumer({ queue: "q", events: ["item.created"], timeZone: "UTC", handle: () => 1 }),
    ];
    expect(compiled).toBeFunction();
  });
});
