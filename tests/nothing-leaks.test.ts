// Whatever goes wrong in a route: 500 with the id of the request and no more, in every environment; the log knows why.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type ListeningApi, listeningApi } from "./support/raw";

const secret = "s3cret";
const fail = () => {
  throw new Error(secret);
};
const throws = (thrown: unknown) => () => {
  throw thrown;
};

const failing = () =>
  new Elysia()
    .get("/error", fail)
    .get("/async", async () => fail())
    .get("/text", throws(secret))
    .get("/undefined", throws(undefined))
    .get("/null", throws(null))
    .get("/object", throws({ message: secret, status: 404, code: "NOT_FOUND" }))
    .get("/answers-itself", throws({ toResponse: () => new Response(secret, { status: 500 }) }))
    .get("/with-cause", throws(Object.assign(new Error("x", { cause: new Error(secret) }), { status: 404, code: "NOT_FOUND" })))
    .get("/returned", () => new Error(secret))
    .get("/status", ({ set }) => {
      set.status = 502;
      return secret;
    })
    .get("/response", () => Response.json({ secret }, { status: 500 }))
    .get("/transform", () => "x", { transform: fail })
    .get("/before", () => "x", { beforeHandle: fail })
    .get("/after", () => "x", { afterHandle: fail })
    .get("/map", () => "x", { mapResponse: fail })
    .get("/invalid", () => ({ price: secret }) as never, { response: { 200: Type.Object({ price: Type.Number() }) } })
    // biome-ignore lint/correctness/useYield: it fails before it comes to that
    .get("/generator", async function* () {
      fail();
    });

const paths = [
  ...["error", "async", "text", "undefined", "null", "object", "answers-itself", "with-cause", "returned", "response"],
  ...["transform", "before", "after", "map", "invalid", "generator", "status"],
].map((name) => `/failing/${name}`);

let api: ListeningApi;

describe("a route that fails", () => {
  beforeAll(() => {
    api = listeningApi({ routes: [{ file: "failing.ts", path: "/failing", route: failing }] });
  });
  afterAll(() => api.close());

  test.each(paths)("GET %s", async (path) => {
    const logged = api.lines.length;
    const answer = await api.request(`GET ${path} HTTP/1.1`);
    expect([answer.status, /^content-type: (.*)$/m.exec(answer.head)?.[1]?.trim()]).toEqual([
      path.endsWith("/status") ? 502 : 500,
      "application/problem+json",
    ]);
    const problem = JSON.parse(answer.body) as { requestId: string };
    expect(Object.keys(problem)).toEqual(["type", "title", "status", "requestId"]);
    expect(answer.text).not.toContain(secret);
    expect(api.lines.length).toBeGreaterThan(logged);
    expect(api.lines.at(-1)).toMatchObject({ level: "error", path, requestId: problem.requestId });
  });
});

// Elysia and Bun read it when they are loaded: so the tests above run again in a process of their own.
test.each(["production", "development"])("the same with NODE_ENV=%s", async (environment) => {
  const command = [process.execPath, "test", import.meta.path, "-t", "a route that fails"];
  const child = Bun.spawn(command, { env: { ...process.env, NODE_ENV: environment }, stdout: "ignore", stderr: "pipe" });
  const said = await child.stderr.text();
  expect([await child.exited, said]).toEqual([0, expect.stringContaining(`${paths.length} pass`)]);
});

describe("a stream that fails", () => {
  beforeAll(() => {
    const broken = () => {
      let sent = 0;
      return new ReadableStream({
        async pull(controller) {
          sent += 1;
          if (sent > 1) throw new Error(secret);
          controller.enqueue("a first part");
        },
      });
    };
    const route = () => new Elysia().get("", () => new Response(broken()));
    api = listeningApi({ routes: [{ file: "broken.ts", path: "/broken", route }] });
  });
  afterAll(() => api.close());

  test("is cut off, so that no client takes it for complete, and reveals nothing", async () => {
    const answer = await api.request("GET /broken HTTP/1.1");
    expect(answer.text).not.toContain(secret);
    expect(answer.text).not.toContain("\r\n0\r\n");
    expect((await api.request("GET /nothing HTTP/1.1")).status).toBe(404);
  });
});

describe("what a route says to its client stays", () => {
  const telling = () =>
    new Elysia()
      .get("/thrown", ({ status }) => {
        throw status(409, "It is locked.");
      })
      .get("/returned", ({ status }) => status(409, "It is locked."))
      .get("/response", () => new Response("It is locked.", { status: 409, headers: { "retry-after": "5" } }))
      .get("/json", ({ status }) => status(409, { locked: true }));
  beforeAll(() => {
    api = listeningApi({ routes: [{ file: "telling.ts", path: "/telling", route: telling }] });
  });
  afterAll(() => api.close());

  test.each(["thrown", "returned", "response"])("%s: as the detail of a problem", async (name) => {
    const answer = await api.send("GET", `/telling/${name}`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([409, "application/problem+json"]);
    expect(answer.json()).toMatchObject({ status: 409, detail: "It is locked.", requestId: answer.headers.get("x-request-id") });
    expect(answer.headers.get("retry-after")).toBe(name === "response" ? "5" : null);
    expect(api.lines).toEqual([]);
  });

  test("JSON of its own: as it is", async () => {
    const answer = await api.send("GET", "/telling/json");
    expect([answer.status, answer.json()]).toEqual([409, { locked: true }]);
  });
});
