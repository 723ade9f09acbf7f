// POST /changes: the way in which consumers on other machines change records, and what they say of an API that does not let them.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import changes from "../src/built-in/changes";
import { HttpDoor } from "../src/changing/http-door";
import { ChangesLink } from "../src/changing/link";
import { readConfig } from "../src/config/config";
import { item } from "../src/domain/item";
import { StoreUnavailable } from "../src/store/errors";
import { openApi, type TestApi } from "./support/api";
import { certificateAuthority } from "./support/certificate";
import { temporaryFolder } from "./support/folder";
import { run } from "./support/processes";
import { rejection } from "./support/rejection";

const tokens = { read: "token-to-read", admin: "token-of-admin" } as const;
const apiTokens = (["read", "admin"] as const).map((scope) => ({ token: tokens[scope], scope }));
const routes = [{ file: "changes.ts", path: "/changes", route: changes }];

let api: TestApi;
beforeEach(() => {
  api = openApi({ routes, config: { apiTokens, rateLimit: 3 } });
});
afterEach(async () => {
  if (api.app.server) await api.app.stop(true);
  await api.close();
});

const ask = (body: unknown, token: string = tokens.admin, headers = {}) =>
  api.send("POST", "/changes", body, { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers });

describe("POST /changes", () => {
  const text = (value: unknown) => JSON.stringify(value);

  test("answers each operation with its value or its error", async () => {
    await api.store.insert(item, { name: "Lamp", description: null, price: 1 });
    const actor = { subject: "consumer:prices", scopes: ["admin"] };
    const json = text({ name: "Lamp", description: null, price: 2 });
    const plan = {
      reads: [{ kind: "record", resource: "item", id: 2, found: null }],
      writes: [{ kind: "update", resource: "item", state: { id: 1, version: 1, json }, actor }],
      ...{ cancel: [], context: { actor } },
    };
    const questions = [
      { ask: "record", resource: "item", id: 1 },
      { ask: "record", resource: "item", id: 9 },
      { ask: "id", resource: "item" },
      { ask: "id", resource: "lamp" },
    ];
    const answer = await ask(text(questions));
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      [
        ...[{ value: { id: 1, version: 1 } }, { value: null }, { value: 2 }],
        { error: { name: "TypeError", message: expect.stringContaining('no resource "lamp"') } },
      ],
    ]);
    // Operations of one request run at the same time: on PostgreSQL, a question beside the commit may see what it has changed.
    expect((await ask(text([{ ask: "commit", plan }]))).json()).toMatchObject([{ value: { isStale: false } }]);
    expect((await api.events()).at(-1)).toMatchObject({ type: "item.updated", actor: "consumer:prices", item: { price: 2 } });
  });

  test.each<[string, number, string]>([
    ["nothing", 400, ""],
    ["no JSON", 400, "["],
    ["no list", 422, "{}"],
    ["an unknown operation", 422, text([{ ask: "drop", resource: "item" }])],
    ["one without what it needs", 422, text([{ ask: "record", resource: "item" }])],
    [
      "a change of somebody else",
      422,
      text([{ ask: "commit", plan: { reads: [], writes: [], cancel: [], context: { actor: { subject: "ada", scopes: ["admin"] } } } }]),
    ],
    ["too many", 422, text(Array(1001).fill({ ask: "id", resource: "item" }))],
    ["too much", 413, text("x".repeat(16 * 1024 * 1024))],
  ])("refuses %s with %i", async (_, status, body) => {
    expect((await ask(body)).status).toBe(status);
  });

  test("takes only JSON, and a larger body than other routes do", async () => {
    expect((await ask("[]", tokens.admin, { "content-type": "text/plain" })).status).toBe(415);
    const key = { ask: "key", resource: "item", name: "name", values: { name: "x".repeat(2 * 1024 * 1024) } };
    expect((await ask(text([key]))).status).toBe(200);
  });

  test("is not limited for consumers, but is for whoever guesses tokens", async () => {
    for (let sent = 0; sent < 10; sent += 1) expect((await ask("[]")).status).toBe(200);
    const refused = [];
    for (let sent = 0; sent < 5; sent += 1) refused.push((await ask("[]", "guessed-token")).status);
    expect(refused).toEqual([401, 401, 401, 429, 429]);
    expect((await ask("[]")).status).toBe(200);
  });
});

describe("a consumer on another machine", () => {
  const listen = () => {
    api.app.listen({ port: 0, hostname: "127.0.0.1" });
    return `http://127.0.0.1:${api.app.server?.port}`;
  };
  const linkTo = (url: string, token: string | null) => new ChangesLink(new HttpDoor({ url, token }));
  const messageOf = async (link: ChangesLink) => {
    const error = await rejection(link.reserveId(item as never));
    // The event waits.
    expect(error).toBeInstanceOf(StoreUnavailable);
    return (error as Error).message;
  };

  test("says what to set if the API does not let it in, and its events wait", async () => {
    const url = listen();
    expect(await messageOf(linkTo(url, null))).toContain(
      'answers with 401 (Send one of the tokens in API_TOKEN as `Authorization: Bearer <token>`). Set API_TOKEN to one of its tokens with the scope "admin".',
    );
    expect(await messageOf(linkTo(url, "another-token"))).toContain("must be one of the API");
    expect(await messageOf(linkTo(url, tokens.read))).toContain(
      'answers with 403 (This token lacks the required scope "admin"). Its token in API_TOKEN must be one of the API with the scope "admin".',
    );
    expect(await linkTo(url, tokens.admin).reserveId(item as never)).toBe(1);
  });

  test("says so if there is no API, or another one", async () => {
    const url = listen();
    expect(await messageOf(linkTo(`${url}/elsewhere`, tokens.admin))).toContain("Check API_URL");
    await api.app.stop(true);
    expect(await messageOf(linkTo(url, tokens.admin))).toStartWith(`The API at ${url} cannot be reached. Start it, or check API_URL.`);
  });

  test("trusts a certificate of an authority of one's own that NODE_EXTRA_CA_CERTS names, and no other", async () => {
    const authority = certificateAuthority();
    const folder = temporaryFolder();
    const seen: (string | null)[] = [];
    const caFile = join(folder.path, "ca.pem");
    writeFileSync(caFile, authority.cert);
    using server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1", tls: authority.issue(["127.0.0.1"]) },
      fetch({ headers }) {
        seen.push(headers.get("authorization"));
        return Response.json([{ value: 7 }]);
      },
    });
    const program = `import { HttpDoor } from "./src/changing/http-door";
      import { ChangesLink } from "./src/changing/link";
      const link = new ChangesLink(new HttpDoor({ url: "https://127.0.0.1:${server.port}", token: "token-of-admin" }));
      await link.reserveId({ name: "item" }).then((id) => console.log("id", id), (error) => console.log(error.message));`;
    const say = async (env: Record<string, string>) => {
      const asking = run(["-e", program], { env });
      await asking.exited;
      return asking.stdout.join();
    };
    expect(await say({})).toMatch(/^The API at https:\/\/127\.0\.0\.1:\d+ cannot be reached\..*certificate/);
    expect(seen).toEqual([]);
    expect(await say({ NODE_EXTRA_CA_CERTS: caFile })).toBe("id 7");
    expect(seen).toEqual(["Bearer token-of-admin"]);
    folder.remove();
  });

  test("does not follow a redirect with its token", async () => {
    const seen: string[] = [];
    using server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch({ url }) {
        seen.push(new URL(url).pathname);
        return Response.redirect("/new/changes", 308);
      },
    });
    expect(await messageOf(linkTo(`http://127.0.0.1:${server.port}`, tokens.admin))).toEndWith("Set API_URL to where it leads: /new");
    expect(seen).toEqual(["/changes"]);
  });

  test("sends what is asked at the same time in one request, unless it is long", async () => {
    const sizes: number[] = [];
    using server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      async fetch(request) {
        const operations = (await request.json()) as unknown[];
        sizes.push(operations.length);
        return Response.json(operations.map(() => ({ value: null })));
      },
    });
    const link = linkTo(`http://127.0.0.1:${server.port}`, null);
    await Promise.all(Array.from({ length: 20 }, () => link.newest(item as never, 1)));
    const long = { name: "x".repeat(400_000) };
    await Promise.all(Array.from({ length: 5 }, () => link.newestByKey(item as never, "name", long)));
    expect(sizes.sort((a, b) => b - a)).toEqual([20, 2, 2, 1]);
  });
});

describe("API_URL", () => {
  const read = (environment: Record<string, string>) => readConfig({ isTerminal: false, listens: false, environment }).remoteApi;

  test.each<[Record<string, string>, ReturnType<typeof read>]>([
    [{}, null],
    [{ API_URL: "https://api.example.com/" }, { url: "https://api.example.com", token: null }],
    [
      { API_URL: "http://10.0.0.7:3000/shop", API_TOKEN: "read:12345678,admin:ada:87654321,11111111" },
      { url: "http://10.0.0.7:3000/shop", token: "87654321" },
    ],
    [
      { API_URL: "https://api.example.com", API_TOKEN: "write:12345678" },
      { url: "https://api.example.com", token: null },
    ],
  ])("%o", (environment, expected) => {
    expect(read(environment)).toEqual(expected);
  });

  test.each(["api.example.com", "ftp://api.example.com", "https://user:secret@api.example.com", "https://api.example.com/?token=secret"])(
    "%s is refused, without its secrets",
    (url) => {
      expect(() => read({ API_URL: url })).toThrow(/API_URL=.*: use the URL of the API, such as https:\/\/api\.example\.com/);
      expect(() => read({ API_URL: url })).not.toThrow("secret");
    },
  );
});
