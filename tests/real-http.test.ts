// Requests of careless or hostile clients to a real server: each gets a prompt and clear error, and the next client is served.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "./support/folder";
import { type Api, endAll, environment, send, startApi } from "./support/processes";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let api: Api;
beforeAll(async () => {
  folder = temporaryFolder();
  api = await startApi({ env: environment(folder.path) });
  await send("POST", `${api.url}/items`, { name: "Sample Item" });
});
afterAll(async () => {
  await endAll();
  folder.remove();
});

interface Answer {
  status: number;
  type: string | null;
  problem: { status: number; detail: string; errors?: { pointer: string; detail: string }[] };
}

async function sendBody(
  method: string,
  path: string,
  body: string | Buffer | ReadableStream,
  contentType = "application/json",
): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`, { method, body, headers: { "content-type": contentType } });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), problem: JSON.parse(text) as Answer["problem"] };
}

function expectProblem(answer: Answer, status: number, detail: string | RegExp): void {
  expect(answer).toMatchObject({ status, type: "application/problem+json", problem: { status, detail: expect.stringMatching(detail) } });
}

const writes = [
  ["POST", "/items"],
  ["PUT", "/items/1"],
  ["PATCH", "/items/1"],
] as const;

for (const [method, path] of writes) {
  describe(`${method} ${path}`, () => {
    test("refuses bytes that are not UTF-8, and stores nothing that was not sent", async () => {
      const latin1 = Buffer.from('{"name":"Caf\xe9"}', "latin1");
      expectProblem(await sendBody(method, path, latin1), 400, "UTF-8");
    });

    test("refuses anything that is not an object", async () => {
      for (const body of ["null", "5", '"text"', "true", "[]", '[{"name":"x"}]']) {
        const answer = await sendBody(method, path, body);
        expectProblem(answer, 422, "The body is not valid.");
        expect(answer.problem.errors).toEqual([{ pointer: "", detail: "Expected object" }]);
      }
    });

    test("refuses a body that is nested without end, at once", async () => {
      // The first are slow to walk through, the others run out of stack.
      const bodies = [
        `{"name":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
        `${'{"name":'.repeat(20_000)}1${"}".repeat(20_000)}`,
        `{"name":${"[".repeat(500_000)}${"]".repeat(500_000)}}`,
        `${'{"name":'.repeat(100_000)}1${"}".repeat(100_000)}`,
      ];
      for (const body of bodies) {
        const started = performance.now();
        const answer = await sendBody(method, path, body);
        expectProblem(answer, 422, "The body is not valid.");
        expect(answer.problem.errors).toEqual([{ pointer: "", detail: expect.stringMatching("nested too deeply") }]);
        expect(performance.now() - started).toBeLessThan(5000);
      }
    });

    test("says that a body is missing when its media type is right", async () => {
      expectProblem(await sendBody(method, path, ""), 400, "empty");
    });

    test("refuses a body that is too large, with or without Content-Length", async () => {
      const large = JSON.stringify({ name: "x", description: "x".repeat(1_100_000) });
      const stream = new ReadableStream({
        start(controller) {
          for (let at = 0; at < large.length; at += 65_536) controller.enqueue(Buffer.from(large.slice(at, at + 65_536)));
          controller.close();
        },
      });
      expectProblem(await sendBody(method, path, large), 413, "1048576 bytes");
      expectProblem(await sendBody(method, path, stream), 413, "1048576 bytes");
    });

    test("lists some of very many mistakes", async () => {
      const body = JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, index])));
      const started = performance.now();
      const answer = await sendBody(method, path, body);
      expectProblem(answer, 422, "The body is not valid.");
      expect(answer.problem.errors?.length).toBeLessThanOrEqual(100);
      expect(performance.now() - started).toBeLessThan(5000);
    });
  });
}

test("nothing of all this was stored", async () => {
  const page = (await (await send("GET", `${api.url}/items`)).json()) as { items: object[] };
  expect(page.items).toEqual([expect.objectContaining({ id: 1, name: "Sample Item", version: 1 })]);
});

describe("with a token", () => {
  const token = "a-secret-for-tests";
  let guarded: Api;
  beforeAll(async () => {
    guarded = await startApi({ env: { ...environment(`${folder.path}/guarded`), API_TOKEN: `another-secret,${token}` } });
  });

  /** Sends the bytes of a request that no HTTP client would send. Returns the status and the body. */
  async function raw(target: string, host: string, headers = ""): Promise<[status: number, body: string]> {
    const { hostname, port } = new URL(guarded.url);
    const answered = Promise.withResolvers<string>();
    let text = "";
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => {
          text += bytes.toString();
        },
        close: () => answered.resolve(text),
      },
    });
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`);
    const [head = "", body = ""] = (await answered.promise).split("\r\n\r\n");
    return [Number(head.split(" ")[1]), body];
  }

  test("it is asked for, one of several is enough, and nothing else is", async () => {
    const statusWith = async (authorization?: string) =>
      (await fetch(`${guarded.url}/items`, { headers: authorization ? { authorization } : {} })).status;
    expect(await Promise.all([token, "another-secret"].map((one) => statusWith(`Bearer ${one}`)))).toEqual([200, 200]);
    for (const wrong of [undefined, "Bearer", "Bearer ", `Basic ${token}`, `Bearer another-secret,${token}`, `Bearer ${token}x`, token]) {
      expect([wrong, await statusWith(wrong)]).toEqual([wrong, 401]);
    }
  });

  test("health checks and the docs are open", async () => {
    for (const path of ["/health/live", "/health/ready", "/swagger", "/swagger/json", "/swagger/swagger-ui.css"]) {
      expect([path, (await fetch(guarded.url + path)).status]).toEqual([path, 200]);
    }
  });

  test("no path and no Host leads around it", async () => {
    const paths = ["/items", "/health/items", "/swagger/items", "/health/../items", "/swagger/%2e%2e/items", "/health\\..\\items"];
    const hosts = ["localhost", "a", "ab", "api", "", "x/health/", "localhost/health?", "localhost/health#", "[::1]", "health"];
    for (const host of hosts) {
      for (const path of [...paths, "/items/../health/live", "/items/1/../../health/x", "//health/live", "/healthz", "/Health/live"]) {
        const [status, body] = await raw(path, host);
        const served = status === 200 && body !== '{"status":"live"}';
        expect([host, path, served, status < 500]).toEqual([host, path, false, true]);
      }
    }
  });

  test("a short Host, as a container has it, is served like any other", async () => {
    for (const host of ["a", "api", "localhost"]) {
      expect([host, await raw("/items", host, `Authorization: Bearer ${token}\r\n`)]).toEqual([host, [200, '{"items":[],"next":null}']]);
      expect([host, await raw("/health/live", host)]).toEqual([host, [200, '{"status":"live"}']]);
    }
  });
});
