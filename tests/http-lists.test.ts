// Lists over HTTP of a resource that declares more than `item`: exact values, null, arrays, times, orders, counts and a search.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource, Nullable, oneOf, type RecordOf } from "warren/resource";
import type { Dependencies } from "warren/route";
import { openApi, type TestApi } from "./support/api";

const ticket = defineResource({
  name: "ticket",
  fields: {
    title: Type.String({ maxLength: 200 }),
    urgent: Type.Boolean(),
    hours: Type.Integer(),
    assignee: Nullable(Type.String()),
    tags: Type.Array(Type.String()),
    dueAt: Nullable(Type.String({ format: "date-time" })),
    day: Type.String({ format: "date" }),
    place: Type.Object({ city: Nullable(Type.String()), size: Type.Number() }),
  },
  managed: { state: { schema: oneOf("open", "waiting", "closed"), initial: "open" } },
  filters: {
    state: "exact",
    urgent: "exact",
    hours: ["exact", "range"],
    assignee: "exact",
    tags: "contains",
    dueAt: ["exact", "range"],
    day: ["exact", "range"],
    "place.city": "exact",
    "place.size": "range",
  },
  indexes: ["state", "tags"],
  sort: ["title", ["state", "-dueAt"]],
  search: ["title", "place.city"],
  example: {
    title: "Door",
    urgent: false,
    hours: 1,
    assignee: null,
    tags: [],
    dueAt: null,
    day: "2026-01-01",
    place: { city: null, size: 1 },
  },
});
type Ticket = RecordOf<typeof ticket>;
interface Page {
  tickets: Ticket[];
  next: string | null;
  count?: { value: number; isExact: boolean };
}

let api: TestApi;
beforeAll(async () => {
  const bare = defineResource({ name: "bare", fields: {}, example: {} });
  api = openApi({
    resources: [ticket, bare],
    routes: [
      { file: "tickets.ts", path: "/tickets", route: crud(ticket) },
      { file: "bares.ts", path: "/bares", route: crud(bare) },
    ],
  });
  const { example } = ticket;
  const made: Partial<Ticket>[] = [
    {
      title: "Front door",
      assignee: "null",
      tags: ["red", "new"],
      dueAt: "2026-01-01T12:00:00+01:00",
      place: { city: "Zürich", size: 1.5 },
    },
    { title: "Back door", state: "waiting", urgent: true, hours: 2, tags: ["red"], dueAt: "2026-01-02T23:59:59.999Z", day: "2026-01-02" },
    { title: "Roof", state: "closed", hours: 3, assignee: "ada & bob", day: "2026-01-03", place: { city: "London", size: 3 } },
    { title: "\u{1f430}".repeat(200), state: "waiting", tags: ["a,b"], dueAt: "2026-01-03T00:00:00Z" },
  ];
  for (const one of made) await api.store.insert(ticket, { ...example, ...one });
});
afterAll(() => api.close());

const page = async (query: string): Promise<Page> => {
  const answer = await api.send("GET", `/tickets?${query}`);
  expect([query, answer.status, answer.text]).toEqual([query, 200, expect.anything()]);
  return answer.json<Page>();
};
const ids = async (query: string) => (await page(query)).tickets.map(({ id }) => id);
async function mistakes(query: string, path = "/tickets"): Promise<Record<string, string>> {
  const answer = await api.send("GET", `${path}?${query}`);
  expect([query, answer.status]).toEqual([query, 422]);
  const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>();
  return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]));
}

test.each<[string, number[]]>([
  ["state=waiting", [2, 4]],
  ["state=open&state=closed", [1, 3]],
  ["state=open&state=open", [1]],
  ["urgent=true", [2]],
  ["urgent=false&state=waiting", [4]],
  ["hours=2&hours=3.0e0", [2, 3]],
  ["hours=1&minHours=2", []],
  ["minHours=2", [2, 3]],
  ["assignee=null", [1]],
  ["assignee.null=true", [2, 4]],
  ["assignee.null=true&assignee=ada+%26+bob", [2, 3, 4]],
  ["tags=red", [1, 2]],
  ["tags=red&tags=new", [1]],
  ["tags=a,b", [4]],
  ["tags=a", []],
  ["dueAt=2026-01-01T11:00:00Z", [1]],
  ["dueAt=2026-01-01T06:00:00-05:00", [1]],
  ["dueAt.null=true", [3]],
  ["minDueAt=2026-01-02", [2, 4]],
  ["maxDueAt=2026-01-02", [1, 2]],
  ["minDueAt=2026-01-02&maxDueAt=2026-01-02", [2]],
  ["maxDueAt=2026-01-01T12:00:00%2B01:00", [1]],
  ["day=2026-01-02&day=2026-01-03", [2, 3]],
  ["minDay=2026-01-02&maxDay=2026-01-02", [2]],
  ["place.city=London", [3]],
  ["place.city.null=true", [2, 4]],
  ["minPlace.size=1.5", [1, 3]],
  ["search=door", [2, 1]],
  ["search=DOOR+back", [2]],
  ["search=zurich", [1]],
  ["search=door&sort=id", [1, 2]],
  ["search=door&sort=relevance", [2, 1]],
  ["search=door&state=open", [1]],
  ["search=nothing", []],
  ["sort=title", [2, 1, 3, 4]],
  ["sort=-title", [4, 3, 1, 2]],
  ["sort=state,-dueAt", [3, 1, 4, 2]],
  ["sort=-state,dueAt", [2, 4, 1, 3]],
  ["sort=-dueAt&state=waiting", [4, 2]],
])("?%s", async (query, expected) => {
  const isDeclared = !query.startsWith("sort=-dueAt");
  if (!isDeclared) return expect(Object.keys(await mistakes(query))).toEqual(["/sort"]);
  expect(await ids(query)).toEqual(expected);
});

test.each(["title", "-title", "state,-dueAt", "-state,dueAt", "-id", "-createdAt"])(
  "sort=%s in pages of one, which cursors lead through",
  async (sort) => {
    const all = await ids(`sort=${sort}`);
    const seen: number[] = [];
    for (let after = ""; ; ) {
      const { tickets, next } = await page(`sort=${sort}&limit=1${after}`);
      seen.push(...tickets.map(({ id }) => id));
      if (next === null) break;
      after = `&after=${next}`;
    }
    expect(seen).toEqual(all);
  },
);

test("a cursor holds the longest texts that a list can be sorted by", async () => {
  const text = Type.String({ maxLength: 200 });
  const long = defineResource({
    name: "long",
    fields: { a: text, b: text, c: text, d: text },
    sort: [["a", "b", "c", "d"]],
    example: { a: "", b: "", c: "", d: "" },
  });
  const own = openApi({ resources: [long], routes: [{ file: "longs.ts", path: "/longs", route: crud(long) }] });
  const value = "\u0001".repeat(200);
  for (let count = 0; count < 2; count += 1) await own.store.insert(long, { a: value, b: value, c: value, d: value });
  const { next } = (await own.send("GET", "/longs?sort=a,b,c,d&limit=1")).json<Page>();
  const second = await own.send("GET", `/longs?sort=a,b,c,d&after=${next}`);
  await own.close();
  expect([second.status, second.json<{ longs: { id: number }[] }>().longs.map(({ id }) => id)]).toEqual([200, [2]]);
});

test("Link keeps every value of a repeated parameter", async () => {
  const answer = await api.send("GET", "/tickets?state=open&state=waiting&limit=1");
  const [, next = ""] = /^<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "") ?? [];
  expect((await api.send("GET", next)).json<Page>().tickets.map(({ id }) => id)).toEqual([2]);
});

test("a count only if it is asked for, of the whole list on each page", async () => {
  expect(await page("limit=1&count=false")).not.toHaveProperty("count");
  const { next, count } = await page("limit=1&count=true");
  expect([count, (await page(`limit=1&count=true&after=${next}`)).count]).toEqual([
    { value: 4, isExact: true },
    { value: 4, isExact: true },
  ]);
  expect((await page("count=true&search=door&state=waiting")).count).toEqual({ value: 1, isExact: true });
});

describe("a query that is not valid: 422, with a pointer", () => {
  test.each<[string, string, RegExp]>([
    ["state=lost", "/state", /One of: open, waiting, closed\./],
    ["state=", "/state", /One of/],
    ["state=open&state=lost", "/state", /One of/],
    ["state.null=true", "/state.null", /Unexpected/],
    ["assignee.null=false", "/assignee.null", /`true`/],
    ["assignee.null=true&assignee.null=true", "/assignee.null", /once/],
    [Array.from({ length: 21 }, () => "state=open").join("&"), "/state", /at most 20 times/],
    ["urgent=1", "/urgent", /One of: true, false\./],
    ["hours=1.5", "/hours", /integer/],
    ["hours=x", "/hours", /integer/],
    ["minHours=1&minHours=2", "/minHours", /once/],
    ["dueAt=2026-01-01", "/dueAt", /2026-11-01T08:00:00Z/],
    ["minDueAt=soon", "/minDueAt", /at least this time/],
    ["maxDueAt=2026-02-30", "/maxDueAt", /end of a day/],
    ["minDay=2026-02-30", "/minDay", /date/],
    ["minDay=2026-01-01T00:00:00Z", "/minDay", /date/],
    ["place=London", "/place", /^Unexpected parameter\. Known: limit, .*place\.city/],
    ["place.town=London", "/place.town", /Unexpected/],
    ["sort=hours", "/sort", /title/],
    ["sort=state,dueAt", "/sort", /state,-dueAt/],
    ["sort=relevance", "/sort", /`search`/],
    ["search=door&sort=title", "/sort", /`search`/],
    ["search=", "/search", /words/],
    [`search=${"x".repeat(201)}`, "/search", /200/],
    ["search=a&search=b", "/search", /once/],
    ["count=1", "/count", /true/],
    ["count", "/count", /true/],
  ])("?%s", async (query, pointer, detail) => {
    expect(await mistakes(query)).toEqual({ [pointer]: expect.stringMatching(detail) });
  });

  test("what a resource does not declare is not there", async () => {
    const unexpected = expect.stringMatching(/^Unexpected parameter\. Known: limit, [a-zA-Z, ]*sort/);
    expect(await mistakes("search=a&state=open&sort=relevance", "/bares")).toEqual({
      "/search": unexpected,
      "/state": unexpected,
      "/sort": expect.stringMatching(/updatedAt/),
    });
  });

  test("a cursor of another order or another value is refused", async () => {
    const { next } = await page("state=open&state=waiting&limit=1&sort=state,-dueAt");
    for (const query of [
      "state=open&limit=1&sort=state,-dueAt",
      "state=open&state=waiting&limit=1&sort=-state,dueAt",
      "limit=1&search=door",
    ])
      expect(Object.keys(await mistakes(`${query}&after=${next}`))).toEqual(["/after"]);
  });
});

test("a client knows filters, orders and the search by their types", async () => {
  const route = crud(ticket);
  const app = (dependencies: Dependencies) => new Elysia({ prefix: "/tickets" }).use(route(dependencies));
  const fetcher = (async (url: string) => {
    const { text, headers } = await api.send("GET", url.replace("http://test", ""));
    return new Response(text, { headers });
  }) as unknown as typeof fetch;
  const { tickets } = treaty<ReturnType<typeof app>>("http://test", { fetcher });
  const { data } = await tickets.get({
    query: { state: ["open", "waiting"], urgent: false, "assignee.null": true, sort: "-state,dueAt", count: true },
  });
  expect([data?.tickets.map(({ id }) => id), data?.count?.value]).toEqual([[4], 1]);
  const found = await tickets.get({ query: { search: "door", tags: ["red", "new"], sort: "relevance" } });
  expect(found.data?.tickets.map(({ title }) => title)).toEqual(["Front door"]);
  const wrong = [
    // @ts-expect-error there is no such state
    () => tickets.get({ query: { state: "lost" } }),
    // @ts-expect-error there is no such order
    () => tickets.get({ query: { sort: "state,dueAt" } }),
    // @ts-expect-error a state is never null
    () => tickets.get({ query: { "state.null": true } }),
  ];
  expect(wrong).toHaveLength(3);
});

test("the document has every parameter, with its type", async () => {
  const document = (await api.send("GET", "/swagger/json", undefined, { host: "localhost" })).json<{
    paths: Record<string, { get: { parameters: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[] } }>;
    components: { schemas: Record<string, { properties: Record<string, unknown>; required: string[] }> };
  }>();
  const schemas = Object.fromEntries(document.paths["/tickets"]?.get.parameters.map(({ name, schema }) => [name, schema]) ?? []);
  const words = { type: "string", enum: ["open", "waiting", "closed"] };
  const many = { minItems: 1, maxItems: 20 };
  expect(schemas).toMatchObject({
    state: { type: "array", items: words, ...many },
    urgent: { type: "array", items: { type: "boolean" }, ...many },
    hours: { type: "array", items: { type: "integer" }, ...many },
    minHours: { type: "number" },
    "assignee.null": { type: "string", enum: ["true"] },
    tags: { type: "array", items: { type: "string" }, ...many },
    dueAt: { type: "array", items: { type: "string", format: "date-time" }, ...many },
    minDay: { type: "string", format: "date" },
    "place.city": { type: "array", items: { type: "string" }, ...many },
    sort: { type: "string", enum: expect.arrayContaining(["id", "-title", "state,-dueAt", "-state,dueAt", "relevance"]) },
    search: { type: "string", maxLength: 200 },
    count: { type: "boolean" },
  });
  expect(schemas).not.toHaveProperty(["state.null"]);
  const { properties, required } = document.components.schemas["TicketPage"] ?? { properties: {}, required: [] };
  expect([Object.keys(properties), required]).toEqual([
    ["tickets", "next", "count"],
    ["tickets", "next"],
  ]);
});
