// GET /items: keyset pages.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openApi, type TestApi } from "./support/api";

interface Page {
  items: { id: number }[];
  next: number | null;
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

async function page(query: string): Promise<Page> {
  const answer = await api.send("GET", `/items${query}`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  return answer.json<Page>();
}

describe("GET /items", () => {
  test.each([1, 7, 40, 60, 119, 120, 200])("pages of %i, followed by `next` to the end, are every item once, in order", async (limit) => {
    const seen: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const { items, next }: Page = await page(`?limit=${limit}&after=${after}`);
      // Every page but the last is full, and none is empty.
      expect(items).not.toBeEmpty();
      expect(items).toHaveLength(next === null ? ids.length - seen.length : limit);
      expect(next).toBe(next === null ? null : (items.at(-1)?.id ?? 0));
      expect(items[0]?.id).toBeGreaterThan(after);
      seen.push(...items.map(({ id }) => id));
      after = next;
    }
    expect(seen).toEqual(ids);
  });

  test("50 at a time when no limit is given", async () => {
    const { items, next } = await page("");
    expect([items.map(({ id }) => id), next]).toEqual([ids.slice(0, 50), ids[49] as number]);
  });

  test("a page after the last item is empty, and the last", async () => {
    expect(await page("?after=130")).toEqual({ items: [], next: null });
    expect(await page("?after=999999999999999")).toEqual({ items: [], next: null });
  });

  test("a page stands still while items come and go before it", async () => {
    const other = openApi();
    for (let n = 1; n <= 4; n += 1) await other.send("POST", "/items", { name: `Item ${n}` });
    const { next } = (await other.send("GET", "/items?limit=2")).json<Page>();
    await other.send("DELETE", "/items/1");
    const { items } = (await other.send("GET", `/items?limit=1&after=${next}`)).json<Page>();
    expect(items.map(({ id }) => id)).toEqual([3]);
    await other.close();
  });

  test("the items are as GET answers them one by one", async () => {
    const { items } = await page("?limit=1&after=1");
    expect(JSON.stringify(items[0])).toBe((await api.send("GET", "/items/2")).text);
  });

  test.each([
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=ten",
    "limit=1.5",
    "limit=1e2",
    "limit=",
    "limit=05",
    "after=-1",
    "after=x",
    "after=1e3",
    "after=",
  ])("?%s is refused: 422, with its name", async (query) => {
    const answer = await api.send("GET", `/items?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({
      type: "/problems/invalid",
      detail: "The query is not valid.",
      errors: [{ pointer: `/${query.split("=")[0]}`, detail: expect.stringMatching(query.startsWith("limit") ? /1 to 200/ : /`next`/) }],
    });
  });

  test("an empty list, of another resource", async () => {
    expect((await api.send("GET", "/orders")).json()).toEqual({ orders: [], next: null });
  });
});
