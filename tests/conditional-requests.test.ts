// ETag, If-Match and If-None-Match: RFC 9110, sections 8.8.3 and 13.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { etagOf, preconditionsOf, unmet } from "../src/crud/preconditions";
import { item } from "../src/domain/item";
import { openSqliteStore } from "../src/store/sqlite/store";
import { type Answer, openApi, type TestApi } from "./support/api";
import { temporaryFolder } from "./support/folder";
import { catalogue, order } from "./support/resources";

let api: TestApi;
beforeEach(() => {
  api = openApi();
});
afterEach(() => api.close());

const sample = { name: "Sample Item", description: null, price: 9.99 };
const etag = (answer: Answer) => answer.headers.get("etag") as string;
const create = async () => etag(await api.send("POST", "/items", sample));
const summary = (answer: Answer) => [answer.status, answer.headers.get("content-type")];
const problem = "application/problem+json";

/** The three ways to change an item. */
const changes = [
  ["PUT", { name: "New" }],
  ["PATCH", { name: "New" }],
  ["DELETE", undefined],
] as const;

describe("the ETag", () => {
  test("is strong, and the same wherever the same state is answered", async () => {
    const post = await api.send("POST", "/items", sample);
    expect(etag(post)).toMatch(/^"1-[0-9a-z]+"$/);
    expect(etag(await api.send("GET", "/items/1"))).toBe(etag(post));
    for (const [method, body] of changes.slice(0, 2)) {
      const changed = await api.send(method, "/items/1", body);
      expect(etag(await api.send("GET", "/items/1"))).toBe(etag(changed));
    }
  });

  test("differs for each state, also when the content is the same again", async () => {
    const seen = [await create()];
    for (const name of ["a", "b", sample.name]) seen.push(etag(await api.send("PUT", "/items/1", { ...sample, name })));
    expect(new Set(seen).size).toBe(4);
  });

  test("tells a store that was put back to an older state from the one before: the same version is not the same state", async () => {
    const folder = temporaryFolder();
    const change = async (copy: string, name: string) => {
      const store = openSqliteStore(join(folder.path, copy), catalogue.resources);
      const stored = (await store.get(item, 1))
        ? await store.update(item, 1, () => ({ ...sample, name }))
        : await store.insert(item, sample);
      await store.close();
      return etagOf(stored as NonNullable<typeof stored>);
    };
    await change("backup.db", "x");
    for (const copy of ["lost.db", "restored.db"]) {
      new Database(join(folder.path, "backup.db"), { readonly: true }).run("VACUUM INTO ?", [join(folder.path, copy)]);
    }
    const [lost, restored] = [await change("lost.db", "before the loss"), await change("restored.db", "after the loss")];
    expect([lost.slice(0, 3), restored.slice(0, 3), lost === restored]).toEqual(['"2-', '"2-', false]);
    folder.remove();
  });
});

describe("GET with If-None-Match", () => {
  test.each([
    ["the ETag", (tag: string) => tag],
    ["the ETag, weak", (tag: string) => `W/${tag}`],
    ["a list with it", (tag: string) => `"a", W/"b,c" ,,${tag}`],
    ["*", () => "*"],
  ])("%s: 304 with the ETag and no body", async (_, header) => {
    const current = await create();
    const answer = await api.send("GET", "/items/1", undefined, { "if-none-match": header(current) });
    expect([answer.status, etag(answer), answer.text, answer.headers.get("content-type")]).toEqual([304, current, "", null]);
  });

  test("another ETag: 200", async () => {
    const old = await create();
    const current = etag(await api.send("PATCH", "/items/1", { price: 1 }));
    const answer = await api.send("GET", "/items/1", undefined, { "if-none-match": `${old}, "x"` });
    expect([answer.status, etag(answer), answer.json<{ price: number }>().price]).toEqual([200, current, 1]);
  });

  test("If-Match is looked at first: 412, even where If-None-Match would be 304", async () => {
    const current = await create();
    const headers = { "if-match": '"other"', "if-none-match": current };
    expect(summary(await api.send("GET", "/items/1", undefined, headers))).toEqual([412, problem]);
    expect((await api.send("GET", "/items/1", undefined, { ...headers, "if-match": current })).status).toBe(304);
  });
});

describe("a change with If-Match", () => {
  test.each(changes)("%s: the ETag, a list with it, or *: it is done", async (method, body) => {
    for (const header of [(tag: string) => tag, (tag: string) => `"other", ${tag}`, () => "*"]) {
      const { headers } = await api.send("POST", "/items", sample);
      const answer = await api.send(method, headers.get("location") as string, body, { "if-match": header(headers.get("etag") as string) });
      expect(answer.status).toBe(method === "DELETE" ? 204 : 200);
    }
  });

  test.each(changes)("%s: an older ETag, another one, or a weak one: 412, nothing is changed, and no event", async (method, body) => {
    const old = await create();
    const current = etag(await api.send("PATCH", "/items/1", { price: 1 }));
    for (const header of [old, '"x"', `W/${current}`, `${old}, "x"`]) {
      const answer = await api.send(method, "/items/1", body, { "if-match": header });
      expect(summary(answer)).toEqual([412, problem]);
      expect(answer.json()).toEqual({
        type: "/problems/precondition-failed",
        title: "Precondition failed",
        status: 412,
        requestId: expect.any(String),
        detail: "The item 1 does not match any ETag in If-Match. Read it again.",
      });
    }
    expect([etag(await api.send("GET", "/items/1")), (await api.events()).length]).toEqual([current, 2]);
  });

  test.each(changes)("%s on what is not there: 404, whatever the condition (section 13.2.1)", async (method, body) => {
    const gone = await create();
    await api.send("DELETE", "/items/1");
    for (const headers of [{ "if-match": gone }, { "if-match": "*" }, { "if-none-match": "*" }]) {
      expect((await api.send(method, "/items/1", body, headers)).status).toBe(404);
      expect((await api.send("GET", "/items/1", undefined, headers)).status).toBe(404);
    }
    // The id is never used again, and so the ETag never stands for another item.
    expect((await api.send("POST", "/items", sample)).headers.get("location")).toBe("/items/2");
  });

  test("a body that is not valid is 422 before the condition is looked at; a patch that would not fit, after", async () => {
    await create();
    const headers = { "if-match": '"other"' };
    expect((await api.send("PUT", "/items/1", { price: -1 }, headers)).status).toBe(422);
    expect((await api.send("PATCH", "/items/1", { price: -1 }, headers)).status).toBe(422);
    await api.send("POST", "/orders", order.example);
    const unfit = { recipient: { phone: "1" } };
    expect((await api.send("PATCH", "/orders/1", unfit)).status).toBe(422);
    expect((await api.send("PATCH", "/orders/1", unfit, headers)).status).toBe(412);
  });

  test("of many at once with one ETag exactly one wins, in one commit", async () => {
    const current = await create();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, price) => api.send("PATCH", "/items/1", { price }, { "if-match": current })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(49).fill(412)]);
    expect((await api.events()).length).toBe(2);
  });
});

test.each(changes)("%s with If-None-Match: 412 when it matches, weak or *; else it is done", async (method, body) => {
  const current = await create();
  for (const header of [current, `W/${current}`, "*"])
    expect(summary(await api.send(method, "/items/1", body, { "if-none-match": header }))).toEqual([412, problem]);
  expect((await api.send(method, "/items/1", body, { "if-none-match": '"other"' })).status).toBeLessThan(300);
});

describe("a malformed header is 400 and names what is right", () => {
  test.each(["", " ", "1-abc", '"a', 'a"', '"a" "b"', '*, "a"', 'w/"a"', "W/a", '"a"b', '"\u{7f}"'])("%p", async (header) => {
    await create();
    for (const name of ["if-match", "if-none-match"]) {
      for (const [method, body] of [["GET", undefined], ...changes] as const) {
        const answer = await api.send(method, "/items/1", body, { [name]: header });
        expect(summary(answer)).toEqual([400, problem]);
        expect(answer.json<{ detail: string }>().detail).toContain("quoted ETags separated by commas");
      }
    }
    expect((await api.events()).length).toBe(1);
  });
});

test("dates are not looked at: no answer has a Last-Modified (section 13.1.4)", async () => {
  await create();
  const past = "Sat, 29 Oct 1994 19:43:31 GMT";
  const read = await api.send("GET", "/items/1", undefined, { "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" });
  expect([read.status, read.headers.get("last-modified")]).toEqual([200, null]);
  expect((await api.send("PATCH", "/items/1", { price: 1 }, { "if-unmodified-since": past })).status).toBe(200);
});

describe("property", () => {
  const opaque = fc
    .array(fc.constantFrom(..."!#$%&'*+,-./09:;<=>?@AZ[\\]^_`az{|}~ÿ"), { maxLength: 6 })
    .map((characters) => `"${characters.join("")}"`);
  const tag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => (weak ? `W/${text}` : text));

  test("any list of tags is read as it was written: If-Match holds if one is the same and strong, If-None-Match if none is the same", () => {
    fc.assert(
      fc.property(
        fc.array(tag, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(",", ", ", " ,\t", ",,", ", ,"),
        opaque,
        (tags, comma, own) => {
          const header = tags.join(comma);
          const matches = unmet(preconditionsOf(header, null) ?? {}, own);
          expect(matches).toBe(tags.includes(own) ? undefined : "If-Match");
          const differs = unmet(preconditionsOf(null, header) ?? {}, own);
          expect(differs).toBe(tags.some((one) => one.replace("W/", "") === own) ? "If-None-Match" : undefined);
        },
      ),
    );
  });

  test("whatever is sent is read or refused, in no time", () => {
    const near = fc.array(fc.constantFrom("W/", '"', "*", ",", " ", "a", "\t"), { maxLength: 2000 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(near, (header) => {
        const start = performance.now();
        try {
          preconditionsOf(header, header);
        } catch (error) {
          expect(error).toMatchObject({ status: 400 });
        }
        expect(performance.now() - start).toBeLessThan(200);
      }),
    );
  });
});
