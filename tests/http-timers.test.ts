// Events to publish later, over HTTP: listed, shown and cancelled.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import timers from "../src/built-in/timers";
import { openApi, type TestApi } from "./support/api";

const loan = defineResource({
  name: "loan",
  fields: { book: Type.String() },
  events: { reminded: { text: Type.String() }, overdue: {} },
  example: { book: "Emma" },
});

let api: TestApi;
beforeEach(async () => {
  api = openApi({
    resources: [loan],
    routes: [
      { file: "loans.ts", path: "/loans", route: crud(loan) },
      { file: "timers.ts", path: "/timers", route: timers },
    ],
  });
  const later = [
    { event: "overdue", at: "2039-01-03T00:00:00Z", key: "late:1" },
    { event: "reminded", at: "2039-01-01T00:00:00Z", data: { text: "Soon" } },
  ] as const;
  await api.store.insert(loan, { book: "Emma" }, { later, cause: { id: "why", depth: 0 }, actor: { subject: "ada", scopes: [] } });
  await api.store.insert(loan, { book: "Persuasion" }, { later: [{ event: "overdue", at: "2039-01-02T00:00:00Z" }] });
});
afterEach(() => api.close());

const list = async (query = "") =>
  (await api.send("GET", `/timers${query}`)).json<{ timers: Record<string, unknown>[]; next: string | null }>();

test("those that are due first are first, in pages", async () => {
  const { timers: all, next } = await list();
  expect([all.map(({ type, id }) => [type, id]), next]).toEqual([
    [
      ["loan.reminded", 1],
      ["loan.overdue", 2],
      ["loan.overdue", 1],
    ],
    null,
  ]);
  expect(all[0]).toEqual({
    ...{ number: 2, type: "loan.reminded", id: 1, dueAt: "2039-01-01T00:00:00.000Z", key: null, data: { text: "Soon" } },
    ...{ actor: "ada", cause: "why", problem: null },
  });
  const first = await list("?limit=2");
  const second = await list(`?limit=2&after=${first.next}`);
  expect([...first.timers, ...second.timers]).toEqual(all);
  expect(second.next).toBeNull();
});

test("by resource, record and key", async () => {
  const numbers = async (query: string) => (await list(query)).timers.map(({ number }) => number);
  expect(await numbers("?resource=loan&id=1")).toEqual([2, 1]);
  expect(await numbers("?key=late%3A1")).toEqual([1]);
  expect(await numbers("?resource=book")).toEqual([]);
  expect(await numbers("?problem=true")).toEqual([]);
  expect(await numbers("?problem=false")).toEqual([2, 3, 1]);
  for (const query of ["?after=x", "?after=1-", "?limit=0", "?id=0", "?due=now"])
    expect((await api.send("GET", `/timers${query}`)).status).toBe(422);
});

test("one is shown, and cancelled once", async () => {
  const shown = await api.send("GET", "/timers/3");
  expect([shown.status, shown.json()]).toMatchObject([200, { number: 3, id: 2 }]);
  const cancelled = await api.send("DELETE", "/timers/3");
  expect([cancelled.status, cancelled.json()]).toEqual([200, shown.json()]);
  for (const method of ["GET", "DELETE"]) {
    const answer = await api.send(method, "/timers/3");
    expect([answer.status, answer.json()]).toMatchObject([
      404,
      { detail: "There is no timer 3. It may have become an event, or have been cancelled." },
    ]);
  }
  expect((await api.send("GET", "/timers/x")).status).toBe(422);
  expect((await list()).timers).toHaveLength(2);
});
