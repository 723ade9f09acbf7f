// Conditional and idempotent writes on a real server: many writers at once, and a server that dies before it has answered.
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { maxBulkBytes } from "../../src/crud/read-bulk";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { type Api, environment, run, startApi } from "../support/processes";
import { catalogue } from "../support/resources";
import { useFolder } from "../support/use-folder";

setDefaultTimeout(60_000);

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

const ndjson = "application/x-ndjson";
const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
const events = async ({ url }: Api) => ((await (await fetch(`${url}/health/ready`)).json()) as { events: number }).events;
const writers = 100;

test("100 writers at once: with If-Match no change is lost, and of those with the same ETag one wins; with one Idempotency-Key there is one item", async () => {
  const api = await startApi({ env });
  const item = `${api.url}/items/1`;
  await post(`${api.url}/items`, '{"name":"counter","price":0}');
  const patch = async (body: object, etag: string) => {
    const headers = { "content-type": "application/merge-patch+json", "if-match": etag };
    return (await fetch(item, { method: "PATCH", headers, body: JSON.stringify(body) })).status;
  };

  const etag = (await fetch(item)).headers.get("etag") as string;
  const race = await Promise.all(Array.from({ length: writers }, () => patch({ description: "mine" }, etag)));
  expect(race.sort()).toEqual([200, ...Array(writers - 1).fill(412)]);

  /** Adds one, as often as it takes. */
  const add = async (): Promise<void> => {
    const read = await fetch(item);
    const { price } = (await read.json()) as { price: number };
    const status = await patch({ price: price + 1 }, read.headers.get("etag") as string);
    expect([200, 412]).toContain(status);
    if (status === 412) return add();
  };
  await Promise.all(Array.from({ length: writers }, add));
  expect(await (await fetch(item)).json()).toMatchObject({ price: writers, version: writers + 2 });

  const answers = await Promise.all(
    Array.from({ length: writers }, () => post(`${api.url}/items`, '{"name":"once"}', { "idempotency-key": "k1" })),
  );
  const told = await Promise.all(
    answers.map(async (answer) => [answer.status, answer.headers.get("location"), await answer.text()].join(" ")),
  );
  expect([new Set(told).size, told[0]?.slice(0, 12), await events(api)]).toEqual([1, "201 /items/2", writers + 3]);
});

describe("the server is killed between the commit and the answer", () => {
  /** Sends a request to a server that dies before it answers, and once more, twice, to the next one. */
  async function lostAnswer(
    path: string,
    type: string,
    body: string,
    after: number,
    method = "POST",
  ): Promise<{ answers: Response[]; api: Api }> {
    const request = { method, headers: { "content-type": type, "idempotency-key": "k1" }, ...(body !== "" && { body }) };
    const deadly = run(["tests/support/dies-after-commit.ts"], { env: { ...env, DIES_AFTER: String(after) } });
    const url = /listens on (http:\/\/[^ ]+)/.exec(await deadly.line("Warren listens on"))?.[1];
    if (method !== "POST") expect((await post(`${url}/items`, '{"name":"there"}')).status).toBe(201);
    await expect(fetch(`${url}${path}`, request)).rejects.toThrow();
    expect(await deadly.exited).toBe(137);
    const api = await startApi({ env });
    return { api, answers: [await fetch(`${api.url}${path}`, request), await fetch(`${api.url}${path}`, request)] };
  }

  test("the same key gets the first answer; there is one item and one event", async () => {
    const { api, answers } = await lostAnswer("/items", "application/json", '{"name":"once"}', 1);
    const item = await fetch(`${api.url}/items/1`);
    const text = await item.text();
    for (const answer of answers) {
      const [status, location, etag] = [answer.status, answer.headers.get("location"), answer.headers.get("etag")];
      expect([status, location, etag, await answer.text()]).toEqual([201, "/items/1", item.headers.get("etag"), text]);
    }
    expect([(await fetch(`${api.url}/items/2`)).status, await events(api)]).toEqual([404, 1]);
  });

  test.each([
    ["PUT", '{"name":"again"}', 200],
    ["PATCH", '{"name":"again"}', 200],
    ["DELETE", "", 204],
  ])("a %s with the same key gets the first answer, and is made once", async (method, body, status) => {
    const { api, answers } = await lostAnswer("/items/1", "application/json", body, 1, method);
    const [first, second] = await Promise.all(
      answers.map(async (answer) => [answer.status, answer.headers.get("etag"), await answer.text()]),
    );
    expect([first, await events(api)]).toEqual([second as string[], 2]);
    expect(first?.[0]).toBe(status);
    if (status === 200) expect(JSON.parse(String(first?.[2]))).toMatchObject({ name: "again", version: 2 });
  });

  test("a bulk that has committed in part is finished by the same key; every item is there once", async () => {
    const count = 1200;
    const body = Array.from({ length: count }, (_, n) => `{"name":"item ${n}"}`).join("\n");
    const { api, answers } = await lostAnswer("/items/bulk", ndjson, body, 2);
    const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
    const lines = (first as string)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { status: number; item: { id: number; name: string } });
    expect(lines.map(({ status, item }) => [status, item.id, item.name])).toEqual(
      Array.from({ length: count }, (_, n) => [201, n + 1, `item ${n}`]),
    );
    expect([second, await events(api)]).toEqual([first as string, count]);
    // The parts that had committed kept their times.
    const restored = (await (await fetch(`${api.url}/items/1`)).text()) === JSON.stringify(lines[0]?.item);
    expect(restored).toBe(true);
  });
});

describe("a bulk", () => {
  test("whose client goes away in the middle is not written; one that is too large is answered", async () => {
    const api = await startApi({ env });
    const { hostname, port } = new URL(api.url);
    const line = '{"name":"half"}\n';
    const head = `POST /items/bulk HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: ${ndjson}\r\nExpect: 100-continue\r\n`;
    for (const [framing, sent] of [
      ["Transfer-Encoding: chunked", `${line.length.toString(16)}\r\n${line}\r\n`],
      ["Content-Length: 100", line],
    ]) {
      for (const leave of ["end", "terminate"] as const) {
        const continued = Promise.withResolvers<void>();
        const closed = Promise.withResolvers<void>();
        const socket = await Bun.connect({
          hostname,
          port: Number(port),
          socket: { data: () => continued.resolve(), close: () => closed.resolve() },
        });
        socket.write(`${head}${framing}\r\n\r\n${sent}`);
        // The server has the request in hand.
        await continued.promise;
        socket[leave]();
        await closed.promise;
      }
    }

    const bulk = `${api.url}/items/bulk`;
    const large = Buffer.alloc(maxBulkBytes + 1, line);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(large);
        controller.close();
      },
    });
    for (const body of [large, stream]) {
      const answer = await fetch(bulk, { method: "POST", headers: { "content-type": ndjson }, body });
      expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([413, "/problems/too-large"]);
    }
    const good = await fetch(bulk, { method: "POST", headers: { "content-type": ndjson }, body: '{"name":"whole"}' });
    expect(await good.text()).toContain('"line":1,"status":201,"item":{"id":1,"name":"whole"');

    // Stopped, so that nothing is still on its way.
    expect(await api.stop()).toBe(0);
    const store = openSqliteStore(join(folder.path, "data/warren.db"), catalogue.resources);
    expect(await store.log.end()).toBe(1);
    await store.close();
  });
});
