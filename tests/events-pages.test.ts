// GET /events: the event log in pages.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { crud } from "warren/crud";
import items from "../routes/items";
import events from "../src/built-in/events";
import { item } from "../src/domain/item";
import { openApi, type TestApi } from "./support/api";
import { listeningApi } from "./support/raw";
import { order } from "./support/resources";

interface Page {
  events: { position: number; event: Record<string, unknown> }[];
  next: number;
  more: boolean;
}

const routes = [
  { file: "events.ts", path: "/events", route: events },
  { file: "items.ts", path: "/items", route: items },
  { file: "orders.ts", path: "/orders", route: crud(order) },
];
const open = () => openApi({ routes });

let api: TestApi;
/** 60 items and 60 orders, of which every third item is changed and every fifth is deleted, in some order. */
beforeAll(async () => {
  api = open();
  const ids = Array.from({ length: 60 }, (_, index) => index + 1);
  await Promise.all(ids.flatMap((n) => [api.send("POST", "/items", { name: `Item ${n}` }), api.send("POST", "/orders", order.example)]));
  await Promise.all(ids.filter((id) => id % 3 === 0).map((id) => api.send("PATCH", `/items/${id}`, { price: id })));
  await Promise.all(ids.filter((id) => id % 5 === 0).map((id) => api.send("DELETE", `/items/${id}`)));
});
afterAll(() => api.close());

async function page(query: string, of = api): Promise<Page & { link: string | null }> {
  const answer = await of.send("GET", `/events${query}`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  return { ...answer.json<Page>(), link: answer.headers.get("link") };
}

/** Follows `next` while there is more. */
async function walk(query: string, of = api): Promise<Page["events"]> {
  const seen: Page["events"] = [];
  for (let after = 0, more = true; more; ) {
    const answer: Page = await page(`?after=${after}${query}`, of);
    expect(answer.next).toBeGreaterThanOrEqual(answer.events.at(-1)?.position ?? after);
    seen.push(...answer.events);
    ({ next: after, more } = answer);
  }
  return seen;
}
const positions = (of: Page["events"]) => of.map(({ position }) => position);

describe("pages", () => {
  test.each([1, 7, 152, 200])("of %i are the log: every event once, in commit order", async (limit) => {
    const log = await api.store.log.read(0, 1000);
    expect(log).toHaveLength(152);
    expect(positions(await walk(`&limit=${limit}`))).toEqual(log.map(({ position }) => position));
  });

  test("hold each event as it stands in the log, byte for byte", async () => {
    const [entry] = await api.store.log.read(4, 1);
    const answer = await api.send("GET", "/events?after=4&limit=1");
    expect(answer.text).toBe(`{"events":[{"position":5,"event":${entry?.body}}],"next":5,"more":true}`);
  });

  test("are 50 events long when no limit is given, and begin with the first", async () => {
    const { events: first, next, more } = await page("");
    expect([positions(first), next, more]).toEqual([Array.from({ length: 50 }, (_, index) => index + 1), 50, true]);
  });

  test("link to the next one, with what was asked for, and the last links nowhere", async () => {
    const { link } = await page("?type=item.created&limit=20");
    const path = /^<(.+)>; rel="next"$/.exec(link ?? "")?.[1] ?? "";
    expect(path).toStartWith("/events?type=item.created&limit=20&after=");
    const following = await page(path.replace("/events", ""));
    expect(positions(following.events)).toEqual(positions(await walk("&type=item.created")).slice(20, 40));
    expect((await page("?after=152")).link).toBeNull();
  });

  test("at the end of the log are empty, and `next` is where new events will be", async () => {
    const other = open();
    expect(await page("", other)).toEqual({ events: [], next: 0, more: false, link: null });
    await other.send("POST", "/items", { name: "One" });
    const { next } = await page("", other);
    expect(await page(`?after=${next}`, other)).toEqual({ events: [], next: 1, more: false, link: null });
    await other.send("POST", "/items", { name: "Two" });
    expect(positions((await page(`?after=${next}`, other)).events)).toEqual([2]);
    await other.close();
  });

  test("of large events are short, and hold one at least", async () => {
    const other = open();
    const line = { item: 1, quantity: 1 };
    const large = { ...order.example, lines: Array.from({ length: 42_000 }, () => line) };
    for (let n = 0; n < 6; n += 1) expect((await other.send("POST", "/orders", large)).status).toBe(201);
    const first = await page("", other);
    expect([first.events.length > 0, first.events.length < 6, first.more]).toEqual([true, true, true]);
    expect(positions(await walk("", other))).toEqual([1, 2, 3, 4, 5, 6]);
    await other.close();
  });
});

describe("a filter", () => {
  test.each([
    ["item.deleted", /^item\.deleted$/],
    ["item.*", /^item\./],
    ["*.created", /\.created$/],
    ["item.updated,order.created", /^(item\.updated|order\.created)$/],
    ["#", /./],
  ])("by type %s answers just those", async (type, expected) => {
    const all = (await api.store.log.read(0, 1000)).filter((entry) => expected.test(entry.type));
    expect(positions(await walk(`&limit=13&type=${encodeURIComponent(type)}`))).toEqual(all.map(({ position }) => position));
  });

  test("by resource answers its events, and with an id the history of one record, without its namesakes", async () => {
    expect(await walk("&resource=order")).toHaveLength(60);
    const history = await walk("&resource=item&id=15&limit=1");
    expect(history.map(({ event }) => event["type"])).toEqual(["item.created", "item.updated", "item.deleted"]);
    expect(history.every(({ event }) => (event["item"] as { id: number }).id === 15)).toBe(true);
    expect((await walk("&resource=item&id=15&type=*.deleted")).map(({ event }) => event["type"])).toEqual(["item.deleted"]);
    expect(await walk("&resource=item&id=999")).toEqual([]);
  });

  test("costs the same in a log of any length: a page looks at a part of it", async () => {
    const other = open();
    for (let n = 0; n < 21; n += 1) await Promise.all(Array.from({ length: 1000 }, () => other.store.insert(item, item.example)));
    await other.send("DELETE", "/items/7");
    expect(await page("?type=item.deleted", other)).toMatchObject({ events: [], next: 10_000, more: true });
    expect(positions(await walk("&type=item.deleted", other))).toEqual([21_001]);
    // The history of a record is found at once, however far apart its events are.
    const { events: history, more } = await page("?resource=item&id=7", other);
    expect([positions(history), more]).toEqual([[7, 21_001], false]);
    await other.close();
  });
});

test.each([
  ["limit=0", "/limit"],
  ["limit=201", "/limit"],
  ["limit=1e2", "/limit"],
  ["after=-1", "/after"],
  ["after=", "/after"],
  ["after=1.5", "/after"],
  ["after=01", "/after"],
  ["after=153", "/after"],
  ["id=0&resource=item", "/id"],
  ["id=x&resource=item", "/id"],
  ["id=1", "/id"],
  ["resource=basket", "/resource"],
  ["type=", "/type"],
  ["type=item", "/type"],
  ["type=item.created,", "/type"],
  ["type=item.created,basket.created", "/type"],
  ["type=item.created&resource=order", "/type"],
  ["typ=item.created", "/typ"],
  ["limit=1&limit=2", "/limit"],
  ["type=item.created&type=item.deleted", "/type"],
])("?%s is refused: 422, with its name", async (query, pointer) => {
  for (const path of ["/events", "/events/stream"]) {
    if (path === "/events/stream" && query.startsWith("limit=1&")) continue;
    const answer = await api.send("GET", `${path}?${query}`);
    expect([path, answer.status]).toEqual([path, 422]);
    expect(answer.json()).toMatchObject({ type: "/problems/invalid", errors: [{ pointer, detail: expect.stringMatching(/.{5}/) }] });
  }
});

describe("events that were removed", () => {
  test("are reported to a reader who would miss them, with the position to continue at; others continue", async () => {
    const other = open();
    for (let n = 1; n <= 5; n += 1) await other.send("POST", "/items", { name: `Item ${n}` });
    await other.store.prune(new Date(Date.now() + 60_000).toISOString(), 3);
    for (const path of ["/events?after=2&type=item.*", "/events/stream?after=2&type=item.*"]) {
      const answer = await other.send("GET", path);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([410, "application/problem+json"]);
      expect(answer.json()).toMatchObject({ type: "/problems/gone", detail: expect.stringContaining("after=3") });
      expect(answer.headers.get("link")).toBe(`<${path.replace("after=2", "after=3")}>; rel="next"`);
    }
    expect((await other.send("GET", "/events/stream", undefined, { "last-event-id": "2" })).status).toBe(410);
    expect(positions((await page("?after=3", other)).events)).toEqual([4, 5]);
    // Without a position nothing is asked for that was removed.
    expect(positions((await page("", other)).events)).toEqual([4, 5]);
    await other.store.prune(new Date(Date.now() + 60_000).toISOString(), 5);
    expect((await other.send("GET", "/events?after=4")).status).toBe(410);
    expect(await page("?after=5", other)).toMatchObject({ events: [], next: 5, more: false });
    await other.close();
  });
});

test("HEAD answers what GET would, and opens no stream", async () => {
  const listening = listeningApi({ routes });
  // It would not come to its end if a stream were open.
  const answer = await listening.request("HEAD /events/stream HTTP/1.1");
  expect([answer.status, answer.head.includes("text/event-stream"), answer.body]).toEqual([200, true, ""]);
  await listening.close();
  expect((await api.send("HEAD", "/events?limit=0")).status).toBe(422);
});

test.each(["x", "-1", "1e3", "999999"])("Last-Event-ID: %s is refused: 422, with its name", async (id) => {
  const answer = await api.send("GET", "/events/stream", undefined, { "last-event-id": id });
  expect([answer.status, answer.json<{ errors: unknown[] }>().errors]).toMatchObject([422, [{ pointer: "/last-event-id" }]]);
});
