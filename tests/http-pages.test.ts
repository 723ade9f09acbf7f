// GET /items: keyset pages, their order, their filters, and what leads from one to the next.
import { afterAll, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import type { App } from "../src/routes.generated";
import { type Answer, openApi, type TestApi } from "./support/api";

interface Item {
  id: number;
  name: string;
  price: number | null;
  createdAt: string;
  updatedAt: string;
}
interface Page {
  items: Item[];
  next: string | null;
}

let api: TestApi;
/** 120 items, with gaps where some were deleted. */
const ids = Array.from({ length: 130 }, (_, index) => index + 1).filter((id) => id % 13 !== 0);
beforeAll(async () => {
  api = openApi();
  await Promise.all(Array.from({ length: 130 }, (_, index) => api.send("POST", "/items", { name: `Item ${index + 1}` })));
  await Promise.all(Array.from({ length: 10 }, (_, index) => api.send("DELETE", `/items/${(index + 1) * 13}`)));
});
afterAll(() => api.close());

async function page(query: string, of = api): Promise<Page> {
  const answer = await of.send("GET", `/items${query}`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  return answer.json<Page>();
}

/** Everything on a page and on those after it. */
async function everything(query: string, of = api): Promise<Item[]> {
  const seen: Item[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const { items, next }: Page = await page(`${query}${after && `&after=${after}`}`, of);
    seen.push(...items);
    after = next;
  }
  return seen;
}

/** The mistakes of an answer, by their pointers. */
function mistakes(answer: Answer): Record<string, string> {
  expect([answer.status, answer.json<{ detail: string }>().detail]).toEqual([422, "The query is not valid."]);
  const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>();
  return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]));
}

describe("pages", () => {
  test.each([1, 7, 40, 60, 119, 120, 200])("of %i, followed by `next` to the end, are every item once, in order", async (limit) => {
    const seen: number[] = [];
    for (let after: string | number | null = 0; after !== null; ) {
      const { items, next }: Page = await page(`?limit=${limit}&after=${after}`);
      // Every page but the last is full, and none is empty.
      expect(items).toHaveLength(next === null ? ids.length - seen.length : limit);
      seen.push(...items.map(({ id }) => id));
      after = next;
    }
    expect(seen).toEqual(ids);
  });

  test("50 at a time when no limit is given", async () => {
    const { items, next } = await page("");
    expect([items.map(({ id }) => id), next]).toEqual([ids.slice(0, 50), expect.stringMatching(/^c[\w-]+$/)]);
  });

  test("after an id instead of a cursor, in the order of ids", async () => {
    expect((await page("?after=129")).items.map(({ id }) => id)).toEqual([]);
    expect((await page("?after=127")).items.map(({ id }) => id)).toEqual([128, 129].filter((id) => ids.includes(id)));
    expect((await page("?sort=-id&limit=2&after=4")).items.map(({ id }) => id)).toEqual([3, 2]);
    expect(await page("?after=999999999999999")).toEqual({ items: [], next: null });
    expect(Object.keys(mistakes(await api.send("GET", "/items?sort=createdAt&after=3")))).toEqual(["/after"]);
  });

  test("the items are as GET answers them one by one", async () => {
    const { items } = await page("?limit=1&after=1");
    expect(JSON.stringify(items[0])).toBe((await api.send("GET", "/items/2")).text);
  });

  test("an empty list, of another resource", async () => {
    const answer = await api.send("GET", "/orders");
    expect([answer.json(), answer.headers.get("link")]).toEqual([{ orders: [], next: null }, '</orders>; rel="first"']);
  });

  test("Link leads to the next page and to the first, with the same query", async () => {
    const query = "limit=40&name=Item+1&minPrice=-1e3&sort=-id";
    await api.send("POST", "/items", { name: "Item 1, of the links", price: 2 });
    await api.send("POST", "/items", { name: "Item 1, of the links", price: 3 });
    const answer = await api.send("GET", `/items?${query.replace("40", "1")}`);
    const [, next, first] = /^<(.+)>; rel="next", <(.+)>; rel="first"$/.exec(answer.headers.get("link") ?? "") ?? [];
    expect(first).toBe("/items?limit=1&name=Item+1&minPrice=-1e3&sort=-id");
    const second = await api.send("GET", String(next));
    expect(second.json<Page>()).toEqual({ items: [expect.objectContaining({ price: 2 })], next: null });
    expect(second.headers.get("link")).toBe(`<${first}>; rel="first"`);
    expect((await api.send("GET", String(first))).text).toBe(answer.text);
    for (const { id } of [...answer.json<Page>().items, ...second.json<Page>().items]) await api.send("DELETE", `/items/${id}`);
  });
});

describe("a cursor", () => {
  test("is good only for the list that it was made for, though with any limit", async () => {
    const { next } = await page("?limit=2&sort=updatedAt&name=Item&updatedSince=2020-01-01");
    const same = `sort=updatedAt&name=Item&updatedSince=2020-01-01T00:00:00Z&after=${next}`;
    expect((await page(`?limit=3&${same}`)).items.map(({ id }) => id)).toEqual(ids.slice(2, 5));
    for (const [from, to] of [
      ["sort=updatedAt", "sort=-updatedAt"],
      ["sort=updatedAt", "sort=createdAt"],
      ["sort=updatedAt&", ""],
      ["name=Item", "name=Ite"],
      ["name=Item", "minPrice=0"],
      ["2020", "2021"],
    ] as const) {
      expect(mistakes(await api.send("GET", `/items?${same.replace(from, to)}`))).toEqual({
        "/after": "Expected the `next` of a page with the same sort order and filters.",
      });
    }
    expect((await api.send("GET", `/orders?limit=3&after=${(await page("?limit=1")).next}`)).status).toBe(422);
  });

  test("that is damaged is refused, wherever the damage is", async () => {
    const cursor = String((await page("?limit=2")).next);
    const damaged = Array.from(cursor, (letter, at) => cursor.slice(0, at) + (letter === "A" ? "B" : "A") + cursor.slice(at + 1));
    for (const after of [
      ...damaged,
      cursor.slice(0, -1),
      cursor.slice(1),
      `${cursor}A`,
      "c",
      "cAAAA",
      "c-",
      "1.5",
      "-1",
      "",
      "x",
      `${cursor}=`,
      "é",
    ])
      expect([after, Object.keys(mistakes(await api.send("GET", `/items?after=${encodeURIComponent(after)}`)))]).toEqual([
        after,
        ["/after"],
      ]);
  });

  test("that is forged is refused, or leads to a place that the list has", async () => {
    const forged = (place: string) => {
      const list = JSON.stringify(["item", "id", { filters: {} }]);
      const checksum = new Bun.CryptoHasher("sha256").update(list).update("\n").update(place).digest().subarray(0, 8);
      return `c${Buffer.concat([checksum, Buffer.from(place)]).toString("base64url")}`;
    };
    expect((await page(`?limit=1&after=${forged("[5]")}`)).items[0]?.id).toBe(6);
    for (const place of ["x", "", "null", "1", "{}", "[]", "[5,5]", "[null]", "[{}]", '["5"]', "[5.5]", "[1e300]"]) {
      const answer = await api.send("GET", `/items?after=${forged(place)}`);
      expect([place, answer.status]).toEqual([place, 422]);
    }
  });
});

describe("order", () => {
  let other: TestApi;
  const start = Date.parse("2026-11-25T08:00:00.000Z");
  beforeAll(async () => {
    other = openApi();
    // The clock stands still for three at a time, and goes back once, where the time of the newest change stands for it.
    for (const [index, second] of [0, 0, 0, 5, 5, 5, 2, 9].entries()) {
      setSystemTime(start + second * 1000);
      await other.send("POST", "/items", { name: `${index}` });
    }
    setSystemTime(start + 20_000);
    await other.send("PATCH", "/items/2", { price: 1 });
    setSystemTime();
  });
  afterAll(() => other.close());

  test.each([
    ["id", [1, 2, 3, 4, 5, 6, 7, 8]],
    ["-id", [8, 7, 6, 5, 4, 3, 2, 1]],
    ["createdAt", [1, 2, 3, 4, 5, 6, 7, 8]],
    ["-createdAt", [8, 7, 6, 5, 4, 3, 2, 1]],
    ["updatedAt", [1, 3, 4, 5, 6, 7, 8, 2]],
    ["-updatedAt", [2, 8, 7, 6, 5, 4, 3, 1]],
  ])("sort=%s, ties in the order of their ids, in pages of any size", async (sort, expected) => {
    for (const limit of [1, 2, 3, 7, 8, 50]) {
      expect((await everything(`?sort=${sort}&limit=${limit}`, other)).map(({ id }) => id)).toEqual(expected);
    }
  });

  test.each([
    ["2026-11-25T08:00:05Z", [2, 4, 5, 6, 7, 8]],
    ["2026-11-25T09:00:05+01:00", [2, 4, 5, 6, 7, 8]],
    ["2026-11-25 08:00:20", [2]],
    ["2026-11-25T08:00:20.001Z", []],
    ["2026-11-25", [1, 2, 3, 4, 5, 6, 7, 8]],
  ])("updatedSince=%s, the time itself included, in every order", async (since, expected) => {
    for (const sort of ["id", "-id", "createdAt", "-createdAt", "updatedAt", "-updatedAt"]) {
      const found = await everything(`?sort=${sort}&limit=2&updatedSince=${encodeURIComponent(since)}`, other);
      expect(found.map(({ id }) => id).sort()).toEqual(expected);
      const key = sort.replace("-", "") as "id";
      const keys = found.map((item) => item[key]);
      expect(keys).toEqual(keys.toSorted().toSorted((a, b) => (sort[0] === "-" ? (a < b ? 1 : a > b ? -1 : 0) : 0)));
    }
  });
});

describe("filters", () => {
  let other: TestApi;
  beforeAll(async () => {
    other = openApi();
    const names = [
      "Apple",
      "Apple pie",
      "apple",
      "Äpfel",
      "A%",
      "A_",
      "A*",
      "Ab",
      "\u{1f430}x",
      "\u{1f430}\u{1f430}",
      "\ufffdx",
      "\ue000x",
      "\u{10ffff}a",
      "\u{10ffff}\u{10ffff}b",
    ];
    for (const [index, name] of names.entries()) await other.send("POST", "/items", { name, price: index === 0 ? null : index });
  });
  afterAll(() => other.close());

  test.each([
    ["Apple", ["Apple", "Apple pie"]],
    ["apple", ["apple"]],
    ["A%", ["A%"]],
    ["A_", ["A_"]],
    ["A*", ["A*"]],
    ["A", ["A%", "A*", "A_", "Ab", "Apple", "Apple pie"]],
    ["Ä", ["Äpfel"]],
    ["A\u0308", []],
    ["\u{1f430}", ["\u{1f430}x", "\u{1f430}\u{1f430}"]],
    ["\u{1f430}\u{1f430}", ["\u{1f430}\u{1f430}"]],
    ["\ufffd", ["\ufffdx"]],
    ["\ud7ff", []],
    ["\u{10ffff}", ["\u{10ffff}a", "\u{10ffff}\u{10ffff}b"]],
    ["\u{10ffff}\u{10ffff}", ["\u{10ffff}\u{10ffff}b"]],
    ["Apple pie and more", []],
    ["", 14],
  ])("name=%s", async (prefix, expected) => {
    const found = (await everything(`?limit=2&name=${encodeURIComponent(prefix)}`, other)).map(({ name }) => name);
    expect(typeof expected === "number" ? found.length : found.sort()).toEqual(expected);
  });

  test.each([
    ["minPrice=10", [10, 11, 12, 13]],
    ["maxPrice=2", [1, 2]],
    ["minPrice=2&maxPrice=4", [2, 3, 4]],
    ["minPrice=2.5&maxPrice=3e0", [3]],
    ["minPrice=4&maxPrice=2", []],
    ["minPrice=-1", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]],
    ["minPrice=1&name=A&updatedSince=2020-01-01", [1, 4, 5, 6, 7]],
  ])("?%s, both ends included, and no null", async (query, expected) => {
    for (const sort of ["id", "updatedAt", "createdAt"])
      expect((await everything(`?limit=2&sort=${sort}&${query}`, other)).map(({ price }) => price)).toEqual(expected);
  });

  test("are known to a client by their types", async () => {
    const client = treaty<App>("http://localhost", {
      fetcher: ((url: string) =>
        other
          .send("GET", url.replace("http://localhost", ""))
          .then((answer) => new Response(answer.text, { headers: answer.headers }))) as unknown as typeof fetch,
    });
    const { data } = await client.items.get({
      query: { name: "Apple", minPrice: 1, maxPrice: "5", sort: "-updatedAt", limit: 5, updatedSince: "2020-01-01" },
    });
    const next: string | null | undefined = data?.next;
    expect([data?.items.map(({ name }) => name), next]).toEqual([["Apple pie"], null]);
    // @ts-expect-error there is no such order
    await client.items.get({ query: { sort: "name" } });
    // @ts-expect-error there is no such filter
    await client.items.get({ query: { description: "x" } });
  });
});

describe("a query that is not valid: 422, with every mistake", () => {
  test.each([
    ["limit=0", /1 to 200/],
    ["limit=201", /1 to 200/],
    ["limit=-1", /1 to 200/],
    ["limit=ten", /1 to 200/],
    ["limit=1.5", /1 to 200/],
    ["limit=1e2", /1 to 200/],
    ["limit=", /1 to 200/],
    ["limit", /1 to 200/],
    ["limit=05", /1 to 200/],
    ["limit=%201", /1 to 200/],
    ["limit=1&limit=2", /once/],
    ["limit=1&limit=1", /once/],
    ["limit=1&%6cimit=1", /once/],
    ["after=-1", /`next`/],
    ["after=01", /`next`/],
    ["after=1e3", /`next`/],
    ["sort=name", /-createdAt/],
    ["sort=%2Bid", /-createdAt/],
    ["sort=ID", /-createdAt/],
    ["updatedSince=yesterday", /2026-11-01/],
    ["updatedSince=2026-02-30", /2026-11-01/],
    ["updatedSince=9999-12-31T23:59:00-01:00", /2026-11-01/],
    ["updatedSince=0000-01-01T00:00:00%2B01:00", /2026-11-01/],
    ["updatedSince=", /2026-11-01/],
    ["minPrice=1,5", /number/],
    ["minPrice=", /number/],
    ["minPrice=1e400", /number/],
    ["maxPrice=Infinity", /number/],
    ["maxPrice=0x10", /number/],
    ["name=%00", /starts with/],
    ["name=%ff", /starts with/],
    ["name=%ed%a0%80", /starts with/],
    ["name=%zz", /starts with/],
    ["colour=red", /Unexpected/],
    ["Limit=5", /Unexpected/],
    ["description=x", /Unexpected/],
    ["__proto__=1", /Unexpected/],
    ["constructor=1", /Unexpected/],
    ["a%2Fb~c=1", /Unexpected/],
    ["%zz=1", /percent/],
    ["=1", /Unexpected/],
  ])("?%s", async (query, detail) => {
    const [[pointer, said] = []] = Object.entries(mistakes(await api.send("GET", `/items?${query}`)));
    const name = query.split(/[=&]/)[0] as string;
    expect([pointer, said]).toEqual([name === "a%2Fb~c" ? "/a~1b~0c" : `/${name}`, expect.stringMatching(detail)]);
  });

  test("all at once, without what was sent", async () => {
    const answer = await api.send("GET", "/items?limit=m4rker&sort=m4rker&after=m4rker!&minPrice=m4rker&colour=m4rker&name=a&name=m4rker");
    expect(Object.keys(mistakes(answer)).sort()).toEqual(["/after", "/colour", "/limit", "/minPrice", "/name", "/sort"]);
    expect(answer.text).not.toContain("m4rker");
    const long = await api.send("GET", `/items?${"x".repeat(5000)}=1`);
    expect(long.text.length).toBeLessThan(500);
  });

  test("an empty query, or an empty part of one, is ignored", async () => {
    expect((await page("?")).items).toHaveLength(50);
    expect((await page("?&limit=3&")).items).toHaveLength(3);
  });

  test("where there is nothing to ask for, nothing is taken", async () => {
    for (const [method, body] of [["GET"], ["PUT", { name: "x" }], ["PATCH", {}], ["DELETE"]] as const)
      expect([method, mistakes(await api.send(method, "/items/1?verbose=1", body))]).toEqual([
        method,
        { "/verbose": method === "GET" ? "Unexpected parameter. Known: version" : "Unexpected parameter" },
      ]);
    expect(mistakes(await api.send("POST", "/items?dryRun=1", { name: "x" }))).toEqual({ "/dryRun": "Unexpected parameter" });
  });
});
