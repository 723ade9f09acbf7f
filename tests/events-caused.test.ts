// GET /events?cause=… and its stream: the events that an event has caused.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import events from "../src/built-in/events";
import { openApi, type TestApi } from "./support/api";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, example: { book: "Emma" } });
const fine = defineResource({ name: "fine", fields: { cents: Type.Integer() }, example: { cents: 5 } });
const cause = { id: "0198c0de-0000-7000-8000-000000000001", depth: 0 };

interface Page {
  events: { position: number; event: { type: string; cause?: string; depth?: number } }[];
  next: number;
  more: boolean;
}

let api: TestApi;
beforeEach(async () => {
  api = openApi({
    resources: [loan, fine],
    routes: [
      { file: "loans.ts", path: "/loans", route: crud(loan) },
      { file: "events.ts", path: "/events", route: events },
    ],
  });
  await api.store.insert(loan, { book: "Emma" });
  for (const book of ["Persuasion", "Sanditon"]) await api.store.insert(loan, { book }, { cause });
  await api.store.insert(loan, { book: "Evelina" }, { cause: { id: "another", depth: 3 } });
  await api.store.insert(fine, { cents: 5 }, { cause });
});
afterEach(() => api.close());

const get = (query: string) => api.send("GET", `/events?cause=${cause.id}${query}`);
const pageOf = async (query = "") => (await get(query)).json<Page>();
const positions = ({ events }: Page) => events.map(({ position }) => position);

test("all that an event has caused, with the cause and its depth, in pages", async () => {
  const page = await pageOf();
  expect([positions(page), page.next, page.more]).toEqual([[2, 3, 5], 5, false]);
  expect(page.events.map(({ event }) => [event.cause, event.depth])).toEqual(Array(3).fill([cause.id, 1]));
  const answer = await get("&limit=2");
  expect([positions(answer.json()), answer.headers.get("link")]).toEqual([
    [2, 3],
    `</events?cause=${cause.id}&limit=2&after=3>; rel="next"`,
  ]);
  expect(await pageOf("&limit=2&after=3")).toMatchObject({ events: [{ position: 5 }], next: 5, more: false });
});

test("by type, resource and record; an unknown event has caused none", async () => {
  expect(positions(await pageOf("&type=fine.*"))).toEqual([5]);
  expect(positions(await pageOf("&resource=loan&id=3"))).toEqual([3]);
  expect(await pageOf("&resource=loan&limit=1")).toMatchObject({ events: [{ position: 2 }], next: 2, more: true });
  expect((await api.send("GET", "/events?cause=unknown")).json()).toEqual({ events: [], next: 5, more: false });
  expect((await get("&before=end")).status).toBe(422);
  expect((await get("&after=99")).status).toBe(422);
});

test("the stream has them, and those that come, but no others", async () => {
  const response = await api.app.handle(new Request(`http://test/events/stream?cause=${cause.id}&after=1`));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  const until = async (position: number) => {
    while (!text.includes(`id: ${position}\nevent`)) text += new TextDecoder().decode((await reader.read()).value);
    return [...text.matchAll(/^id: (\d+)\nevent: (.*)$/gm)].map(([, id, type]) => [Number(id), type]);
  };
  const past = [2, 3].map((position) => [position, "loan.created"]).concat([[5, "fine.created"]]);
  expect(await until(5)).toEqual(past);
  await api.store.insert(loan, { book: "Lady Susan" });
  await api.store.insert(fine, { cents: 9 }, { cause });
  expect(await until(7)).toEqual([...past, [7, "fine.created"]]);
  await reader.cancel();
});

test("the stream takes it together with a type", async () => {
  const response = await api.app.handle(new Request(`http://test/events/stream?cause=${cause.id}&after=0&type=fine.*`));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!text.includes("event: ")) text += new TextDecoder().decode((await reader.read()).value);
  expect([...text.matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => id)).toEqual(["5"]);
  await reader.cancel();
});
