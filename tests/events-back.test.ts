// GET /events?before=…: the event log, newest first; and GET /events/:id.
import { afterAll, beforeAll, expect, test } from "bun:test";
import items from "../routes/items";
import event from "../src/built-in/event";
import events from "../src/built-in/events";
import { item } from "../src/domain/item";
import { openApi, type TestApi } from "./support/api";

interface Page {
  events: { position: number; event: { id: string; type: string } }[];
  next: number;
  more: boolean;
}

const routes = [
  { file: "events.ts", path: "/events", route: events },
  { file: "events/[id].ts", path: "/events/:id", route: event },
  { file: "items.ts", path: "/items", route: items },
];

let api: TestApi;
beforeAll(async () => {
  api = openApi({ routes });
  for (let n = 1; n <= 20; n += 1) await api.send("POST", "/items", { name: `Item ${n}` });
  for (const id of [3, 9]) await api.send("DELETE", `/items/${id}`);
});
afterAll(() => api.close());

const get = (query: string, of = api) => of.send("GET", `/events${query}`);
async function walk(query: string, of = api): Promise<{ positions: number[]; pages: number }> {
  const positions: number[] = [];
  let pages = 0;
  for (let before: number | string = "end", more = true; more; pages += 1) {
    const page: Page = (await get(`?before=${before}${query}`, of)).json();
    positions.push(...page.events.map(({ position }) => position));
    ({ next: before, more } = page);
  }
  return { positions, pages };
}
const newestFirst = Array.from({ length: 22 }, (_, index) => 22 - index);

test.each([1, 5, 22, 200])("pages of %i are the log, newest first: every event once", async (limit) => {
  const { positions, pages } = await walk(`&limit=${limit}`);
  expect([positions, pages]).toEqual([newestFirst, Math.ceil(22 / limit)]);
});

test("by type, and the history of a record", async () => {
  expect((await walk("&type=item.deleted&limit=1")).positions).toEqual([22, 21]);
  expect((await walk("&resource=item&id=9&limit=1")).positions).toEqual([22, 9]);
});

test("link to the next page, with what was asked for", async () => {
  const answer = await get("?before=end&type=item.*&limit=20");
  expect(answer.headers.get("link")).toBe('</events?before=3&type=item.*&limit=20>; rel="next"');
  expect((await get("?before=3&limit=20")).headers.get("link")).toBeNull();
});

test("what is committed meanwhile does not move the pages", async () => {
  const other = openApi({ routes });
  for (let n = 0; n < 4; n += 1) await other.store.insert(item, item.example);
  const first: Page = (await get("?before=end&limit=2", other)).json();
  await other.store.insert(item, item.example);
  const second: Page = (await get(`?before=${first.next}&limit=2`, other)).json();
  expect([...first.events, ...second.events].map(({ position }) => position)).toEqual([4, 3, 2, 1]);
  await other.close();
});

test("a page looks at a part of the log; where it was pruned, the log ends", async () => {
  const other = openApi({ routes });
  expect((await get("?before=end", other)).json()).toEqual({ events: [], next: 1, more: false });
  await other.store.insert(item, item.example);
  await other.store.remove(item, 1);
  for (let n = 0; n < 11; n += 1) await Promise.all(Array.from({ length: 1000 }, () => other.store.insert(item, item.example)));
  expect((await get("?before=end&type=item.deleted", other)).json()).toEqual({ events: [], next: 1003, more: true });
  expect((await walk("&type=item.deleted", other)).positions).toEqual([2]);
  while ((await other.store.prune(new Date(Date.now() + 60_000).toISOString(), 11_000)) > 0);
  expect((await walk("", other)).positions).toEqual([11_002, 11_001]);
  await other.close();
});

test.each([
  ["before=x", "/before"],
  ["before=-1", "/before"],
  ["before=", "/before"],
  ["before=5&after=2", "/before"],
  ["before=5&before=6", "/before"],
])("?%s is refused: 422, with its name", async (query, pointer) => {
  const answer = await get(`?${query}`);
  expect([answer.status, answer.json<{ errors: { pointer: string }[] }>().errors.map((one) => one.pointer)]).toEqual([422, [pointer]]);
});

test("an event by its id, as it stands in the log; 404 if there is none", async () => {
  const [entry] = await api.store.log.read(6, 1);
  const answer = await api.send("GET", `/events/${entry?.id}`);
  expect([answer.status, answer.text]).toEqual([200, `{"position":7,"event":${entry?.body}}`]);
  expect((await api.send("GET", "/events/none")).status).toBe(404);
});
