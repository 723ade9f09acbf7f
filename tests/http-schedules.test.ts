// Schedules of consumers, over HTTP: listed, shown and removed.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import schedules from "../src/built-in/schedules";
import { tickOnce } from "../src/store/schedules";
import { type ClockControl, controlClock, now } from "../src/timing/clock";
import { openApi, type TestApi } from "./support/api";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, example: { book: "Emma" } });
const day = 86_400_000;

let api: TestApi;
let clock: ClockControl;
beforeEach(async () => {
  clock = controlClock();
  const routes = [
    { file: "loans.ts", path: "/loans", route: crud(loan) },
    { file: "schedules.ts", path: "/schedules", route: schedules },
  ];
  api = openApi({ resources: [loan], routes });
  await api.store.schedules.announce({ queue: "remind", pattern: "0 9 * * *", timeZone: "Europe/London", missed: "skip", overlap: false });
  await api.store.schedules.announce({ queue: "count/all", pattern: "@hourly", timeZone: "UTC", missed: "once", overlap: true });
});
afterEach(async () => {
  clock.release();
  await api.close();
});

const list = async () => (await api.send("GET", "/schedules")).json<{ schedules: Record<string, unknown>[] }>();

test("lists them with their state, the next time and the last", async () => {
  const [first, second, ...rest] = (await list()).schedules;
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ name: "count/all", schedule: "@hourly", timeZone: "UTC", missed: "once", overlap: true, state: "waiting" });
  expect(second).toMatchObject({ name: "remind", missed: "skip", overlap: false, lastAt: null, lastEvent: null });
  expect(Date.parse(first?.["nextAt"] as string) - now()).toBeLessThanOrEqual(3_600_000);
  expect(first?.["nextAt"]).toEndWith(":00:00.000Z");

  const schedule = await api.store.schedules.find("remind");
  if (!schedule) throw new Error("It is not there.");
  const dueAt = Math.floor(now() / 60_000) * 60_000;
  expect(tickOnce(schedule, dueAt).owner).toBeNull();
  await api.store.schedules.aim(schedule, dueAt);
  await api.store.schedules.tick(schedule, dueAt);
  const [event] = await api.store.log.read(0, 1);
  const shown = await api.send("GET", "/schedules/remind");
  expect(shown.json<object>()).toMatchObject({ state: "running", lastAt: new Date(dueAt).toISOString(), lastEvent: event?.id });

  clock.move(8 * day);
  expect((await list()).schedules.map(({ state, nextAt }) => [state, nextAt])).toEqual([
    ["stopped", null],
    ["stopped", null],
  ]);
});

test("removes one whose consumer is gone", async () => {
  const removed = await api.send("DELETE", "/schedules/count%2Fall");
  expect([removed.status, removed.json<{ name: string }>().name]).toEqual([200, "count/all"]);
  for (const method of ["GET", "DELETE"]) {
    const answer = await api.send(method, "/schedules/count%2Fall");
    expect([answer.status, answer.json<{ detail: string }>().detail]).toEqual([
      404,
      'There is no schedule "count/all". A consumer announces its schedule when it starts.',
    ]);
  }
  expect((await list()).schedules).toHaveLength(1);
});
