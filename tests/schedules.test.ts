// Schedules: their events are published when their time has come, once, by one process at a time, and one after the other.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { keepSchedules } from "../src/engine/schedules";
import type { Tick } from "../src/schema/tick";
import { doneOnce, type NewSchedule } from "../src/store/schedules";
import { type ClockControl, controlClock, now } from "../src/timing/clock";
import { forEachEngine } from "./support/engines";
import { recordedLog } from "./support/recorded-log";
import { useStore } from "./support/use-store";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, example: { book: "Emma" } });
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

forEachEngine((placesIn) => {
  let keeping: { stop(): Promise<void> }[];
  let clock: ClockControl;
  const { store, reopen } = useStore(placesIn, [loan]);
  const { log } = recordedLog();
  const keep = () => keeping.push(keepSchedules(store, log));
  const rest = async () => {
    for (const each of keeping.splice(0)) await each.stop();
  };
  beforeEach(() => {
    clock = controlClock();
    keeping = [];
  });
  afterEach(async () => {
    await rest();
    clock.release();
  });
  const announce = (rest: Partial<NewSchedule> = {}) =>
    store.schedules.announce({ queue: "sales", pattern: "0 9 * * *", timeZone: "UTC", missed: "once", overlap: false, ...rest });
  const ticks = async () => {
    const entries = (await store.log.read(0, 1000)).filter(({ type }) => type === "schedule.due");
    return entries.map(({ body }) => JSON.parse(body) as Tick);
  };
  /** Waits until there are so many ticks. Resolves with their times. */
  const upTo = async (count: number) => {
    while ((await ticks()).length < count || (await store.schedules.list()).some(({ dueAt }) => dueAt !== null)) await Bun.sleep(5);
    return (await ticks()).map(({ schedule }) => schedule.dueAt);
  };
  const done = async () => {
    const schedule = await store.schedules.find("sales");
    await store.changing.commit({
      reads: [],
      writes: [],
      cancel: [],
      context: { once: doneOnce(schedule?.lastTick ?? "") },
      answerOf: () => "1",
    });
  };
  /** Moves the clock to a time of day: of the next day if that has passed. */
  const moveTo = (time: string, days = 0) => {
    const [hours = 0, minutes = 0] = time.split(":").map(Number);
    const at = new Date(now());
    at.setUTCHours(hours, minutes, 0, 0);
    const ahead = at.getTime() - now();
    clock.move((ahead >= 0 ? ahead : ahead + day) + days * day);
  };
  /** Resolves when the leader has looked at the schedules again, twice. */
  const looked = async () => {
    clock.move(1000);
    await Bun.sleep(20);
    clock.move(1000);
    await Bun.sleep(20);
  };

  /** Resolves when the leader has noticed that the clock was put back. */
  const noticed = async () => {
    // Looks at once.
    await rest();
    keep();
    while ((await store.schedules.list()).some(({ since }) => since > now())) await Bun.sleep(5);
  };

  test("an event for each time, the next when the last is done, and after a restart", async () => {
    moveTo("08:00");
    await announce();
    expect(await store.schedules.list()).toMatchObject([{ queue: "sales", lastTick: null, isDone: true, dueAt: null, overlap: false }]);
    keep();
    moveTo("09:00");
    const [first] = await upTo(1);
    expect(first).toEndWith("T09:00:00.000Z");
    const [tick] = await ticks();
    expect(tick).toMatchObject({ type: "schedule.due", version: 1, schedule: { id: 1, name: "sales" } });
    expect(Object.keys(tick as object)).toEqual(["id", "type", "version", "schedule", "timestamp"]);
    expect(await store.schedules.find("sales")).toMatchObject({ lastTick: tick?.id, isDone: false, lastAt: Date.parse(first as string) });

    // It is not done on the next day, and not on the day after.
    moveTo("09:00");
    await looked();
    moveTo("09:00");
    await looked();
    expect(await ticks()).toHaveLength(1);
    await rest();
    await reopen();
    await done();
    keep();
    const times = await upTo(2);
    // One for both that were missed, of the last time.
    expect(Date.parse(times[1] as string) - Date.parse(first as string)).toBe(2 * day);
    await done();
    expect(await store.schedules.find("sales")).toMatchObject({ isDone: true, isSettled: false });
    // For good: the note does not live as long as the pause of some schedules.
    while (!(await store.schedules.find("sales"))?.isSettled) await Bun.sleep(5);
    expect(await ticks()).toHaveLength(2);
  });

  test("`skip` makes up for nothing, `overlap` does not wait", async () => {
    moveTo("08:00");
    await announce({ missed: "skip" });
    await announce({ queue: "often", pattern: "0 * * * *", overlap: true });
    keep();
    moveTo("09:00");
    await upTo(2);
    clock.move(hour);
    await upTo(3);
    clock.move(hour);
    expect((await upTo(4)).map((time) => time.slice(11, 16)).toSorted()).toEqual(["09:00", "09:00", "10:00", "11:00"]);
    await rest();
    // Nobody is there at 9:00 of the next day.
    moveTo("09:30");
    await done();
    keep();
    const times = await upTo(5);
    expect(times.at(-1)?.slice(11, 16)).toBe("09:00");
    expect((await ticks()).filter(({ schedule }) => schedule.name === "sales")).toHaveLength(1);
    moveTo("09:00");
    await upTo(7);
    expect((await ticks()).filter(({ schedule }) => schedule.name === "sales")).toHaveLength(2);
  });

  test("whoever leads, and whatever was under way when the last one died, each time has one event", async () => {
    moveTo("08:00");
    await announce({ pattern: "* * * * *", overlap: true });
    const schedule = async () => (await store.schedules.list())[0] as NonNullable<Awaited<ReturnType<typeof store.schedules.find>>>;
    moveTo("08:05");
    const nine = Math.floor(now() / minute) * minute;
    // Decided on by two, of which one wins.
    const read = await schedule();
    expect(await store.schedules.aim(read, nine)).toBe(true);
    expect(await store.schedules.aim(read, nine + minute)).toBe(false);
    // Died before the event, or after it and before the position.
    const aimed = await schedule();
    const other = { ...aimed, queue: "sales" };
    await Promise.all([store.schedules.tick(aimed, nine), store.schedules.tick(other, nine)]);
    await store.schedules.tick(aimed, nine);
    expect(await ticks()).toHaveLength(1);
    const after = await schedule();
    expect(after).toMatchObject({ dueAt: null, since: nine, lastAt: nine, lastTick: (await ticks())[0]?.id });
    // A leader that was suspended goes on with what it had read.
    expect(await store.schedules.aim(read, nine)).toBe(false);
    await store.schedules.tick(read, nine);
    expect(await schedule()).toEqual(after);

    expect(await store.schedules.aim(after, nine + minute)).toBe(true);
    await rest();
    await reopen();
    keep();
    keep();
    expect(await upTo(2)).toHaveLength(2);
  });

  test("a clock that is put forward and back: no time twice, and no silence", async () => {
    moveTo("08:59");
    await announce();
    keep();
    moveTo("09:00");
    await upTo(1);
    await done();
    // Back before nine: nine comes again.
    clock.move(-2 * hour);
    await noticed();
    moveTo("09:00");
    await looked();
    expect(await ticks()).toHaveLength(1);
    // Forward by three years, and back.
    await announce();
    clock.move(3 * 365 * day);
    await announce();
    await upTo(2);
    await done();
    clock.move(-3 * 365 * day);
    await noticed();
    await announce();
    moveTo("09:00");
    await upTo(3);
  });

  test("another pattern counts from now, and nobody's schedule stops after 7 days", async () => {
    moveTo("08:00");
    await announce();
    moveTo("10:00", 1);
    const [before] = await store.schedules.list();
    await announce({ pattern: "0 9 * * 1-7" });
    const [after] = await store.schedules.list();
    expect(after).toMatchObject({ number: before?.number as number, pattern: "0 9 * * 1-7" });
    expect((after?.since ?? 0) - (before?.since ?? 0)).toBeGreaterThan(day);
    keep();
    await looked();
    expect(await ticks()).toEqual([]);
    moveTo("09:00");
    await upTo(1);
    await done();
    // Nobody announces it.
    clock.move(7 * day + minute);
    await looked();
    expect(await ticks()).toHaveLength(1);
    await announce({ pattern: "0 9 * * 1-7" });
    await upTo(2);
    expect(await store.schedules.remove("sales")).toBe(true);
    expect(await store.schedules.remove("sales")).toBe(false);
    await announce();
    expect((await store.schedules.find("sales"))?.number).toBeGreaterThan(after?.number as number);
  });
});
