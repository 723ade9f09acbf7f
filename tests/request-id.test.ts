// Every answer has the id of its request, and whoever reads the log finds what belongs to it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { type Answer, openApi, type TestApi } from "./support/api";

let api: TestApi;
beforeAll(() => {
  const failing = () =>
    new Elysia().get("", () => {
      throw new Error("a mistake");
    });
  const text = () => new Elysia().get("", "always the same text");
  api = openApi({
    routes: [
      { file: "failing.ts", path: "/failing", route: failing },
      { file: "text.ts", path: "/text", route: text },
    ],
  });
});
afterAll(() => api.close());

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const idOf = (answer: Answer) => answer.headers.get("x-request-id") ?? "";

test.each(["/text", "/failing", "/nothing", "/swagger/json"])("GET %s: a new one each time", async (path) => {
  const ids = [idOf(await api.send("GET", path)), idOf(await api.send("GET", path))];
  for (const id of ids) expect(id).toMatch(uuidV7);
  expect(ids[0]).not.toBe(ids[1]);
});

test("a problem has it, and so has the line in the log", async () => {
  const answer = await api.send("GET", "/failing");
  expect(answer.json()).toMatchObject({ status: 500, requestId: idOf(answer) });
  expect(api.lines.at(-1)).toMatchObject({ level: "error", requestId: idOf(answer), error: "a mistake" });
});

describe("a client's own", () => {
  test.each(["1", "my-request.7", "019ab790-8c6e-7000-a9c7-a7d37be9ec58", "Root=1-67891233-abc/def+g:@~", "x".repeat(128)])(
    "is taken: %s",
    async (id) => {
      for (const path of ["/text", "/failing", "/nothing"]) {
        const answer = await api.send("GET", path, undefined, { "x-request-id": id });
        expect(idOf(answer)).toBe(id);
        if (answer.status >= 400) expect(answer.json()).toMatchObject({ requestId: id });
      }
    },
  );

  test.each(["", " ", "a b", "a,b", "x".repeat(129), '"quoted"', "<script>", "Caf\u00e9", "a\tb"])("is not: %j", async (id) => {
    for (const path of ["/text", "/nothing"]) {
      expect(idOf(await api.send("GET", path, undefined, { "x-request-id": id }))).toMatch(uuidV7);
    }
  });
});
