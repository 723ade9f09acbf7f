// Requests as bytes that no honest client sends: where one ends and the next begins must never be in doubt.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import items from "../routes/items";
import events from "../src/built-in/events";
import health from "../src/built-in/health";
import { type ListeningApi, listeningApi, statusesIn } from "./support/raw";

const routes = [
  { file: "items.ts", path: "/items", route: items },
  { file: "events.ts", path: "/events", route: events },
  { file: "health.ts", path: "/health", route: health },
];

// A connection that is not closed by the server is found out by Bun's own time-outs.
setDefaultTimeout(30_000);

let api: ListeningApi;
beforeAll(() => {
  api = listeningApi({ routes });
});
afterAll(() => api.close());

const json = '{"name":"x"}';
const post = (...lines: string[]) =>
  ["POST /items HTTP/1.1", "Host: localhost", "Content-Type: application/json", ...lines, "", ""].join("\r\n");
const smuggled = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** Refused as a whole: one answer, the connection is closed, and what comes behind is not taken for a request. */
async function refused(bytes: string, status = 400): Promise<void> {
  const items = (await api.events()).length;
  const answer = await api.raw(`${bytes}${smuggled}`);
  expect(statusesIn(answer)).toEqual([status]);
  expect(answer.head).toContain("connection: close");
  expect((await api.events()).length).toBe(items);
  expect((await api.request("GET /health/live HTTP/1.1")).status).toBe(200);
}

describe("the length of a body", () => {
  test("two that differ", () => refused(post("Content-Length: 12", "Content-Length: 3") + json));
  test("a list", () => refused(post("Content-Length: 12, 12") + json));
  test.each(["+12", "-1", "0x0c", "12a", "1e1", "12 12", "99999999999999999999", ""])("that is not a number: %j", (length) =>
    refused(post(`Content-Length: ${length}`) + json),
  );
  test("two that are the same count as one (RFC 9110, 8.6)", async () => {
    const answer = await api.raw(post("Content-Length: 12", "Content-Length: 12") + json, smuggled);
    expect(statusesIn(answer)).toEqual([201, 200]);
  });
  test("and chunks, either first", async () => {
    await refused(`${post("Content-Length: 4", "Transfer-Encoding: chunked")}c\r\n${json}\r\n0\r\n\r\n`);
    await refused(`${post("Transfer-Encoding: chunked", "Content-Length: 4")}c\r\n${json}\r\n0\r\n\r\n`);
  });
});

describe("chunks", () => {
  const chunked = (coding = "Transfer-Encoding: chunked") => post(coding);
  test("are read", async () => {
    const answer = await api.raw(`${chunked()}5\r\n{"nam\r\n7;a=b\r\ne":"x"}\r\n0\r\n\r\n`, smuggled);
    expect(statusesIn(answer)).toEqual([201, 200]);
  });
  test.each([
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\r\n chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  ])("under another name: %j", (coding) => refused(`${chunked(coding)}c\r\n${json}\r\n0\r\n\r\n`));
  test.each(["zz", "-c", "0xc", "+c", "fffffffffffffffff", " c", ""])("of the size %j", (size) =>
    refused(`${chunked()}${size}\r\n${json}\r\n0\r\n\r\n`),
  );
  test("with lines that end in LF alone", () => refused(`${chunked()}c\n${json}\n0\n\n`));
  test("that are longer than they say", () => refused(`${chunked()}b\r\n${json}\r\n0\r\n\r\n`));
});

describe("a body that is too large", () => {
  test("by its length: 413, and what follows is still its body", async () => {
    const body = `${"x".repeat(2_000_000 - smuggled.length)}${smuggled}`;
    const answer = await api.raw(post("Content-Length: 2000000") + body, smuggled);
    expect(statusesIn(answer)).toEqual([413, 200]);
    expect(answer.body).toContain("/problems/too-large");
  });
  test("by its chunks: 413", async () => {
    const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
    const answer = await api.raw(`${post("Transfer-Encoding: chunked")}${chunk.repeat(20)}0\r\n\r\n`, smuggled);
    expect(statusesIn(answer)).toEqual([413, 200]);
  });
  test("by far, by its length: 413 before it is sent, and the connection is closed", () => refused(post("Content-Length: 100000000"), 413));
  test("by far, by its chunks: 413 as soon as it is too large, and what follows is still its body", async () => {
    const chunk = `${(1_048_576).toString(16)}\r\n${"x".repeat(1_048_576)}\r\n`;
    const answer = await api.raw(`${post("Transfer-Encoding: chunked")}${chunk.repeat(40)}0\r\n\r\n`, smuggled);
    expect(statusesIn(answer)).toEqual([413, 200]);
  });
  test("for a path or a method that takes none: it is passed over", async () => {
    for (const [line, status] of [
      ["GET /items HTTP/1.1", 200],
      ["POST /nothing HTTP/1.1", 404],
      ["DELETE /items HTTP/1.1", 405],
    ] as const) {
      const answer = await api.raw(`${line}\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`, smuggled);
      expect([line, statusesIn(answer)]).toEqual([line, [status, 200]]);
    }
  });
});

describe("the head", () => {
  const get = (...lines: string[]) => ["GET /items HTTP/1.1", ...lines, "", ""].join("\r\n");
  test("without a Host", () => refused(get("Accept: */*")));
  test("with two Hosts: 400", async () => {
    for (const second of ["localhost", "other"]) {
      const answer = await api.raw(get("Host: localhost", `Host: ${second}`, "Connection: close"));
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining("more than one Host")]);
    }
  });
  test("with a header of 1 MB: 431", () => refused(get("Host: localhost", `X: ${"a".repeat(1_000_000)}`), 431));
  test("with a thousand headers: 431", () => refused(get("Host: localhost", ...Array.from({ length: 1000 }, (_, n) => `X-${n}: a`)), 431));
  test("with a path of 100 kB: 431", () => refused(`GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431));
  test("with lines that end in LF alone", () => refused("GET /items HTTP/1.1\nHost: localhost\n\n", 505));
  test.each(["X: a\r\n b", "X : a", "no colon", "X: a\u0000b", "X: a\rb", ": a", "X\u0000: a"])("with the line %j", (line) =>
    refused(get("Host: localhost", line)),
  );
  test("with NUL in the path", () => refused("GET /items\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n", 505));
  test.each(["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", ""])("of version %j", async (version) => {
    const answer = await api.raw(`GET /items ${version}\r\nHost: localhost\r\n\r\n${smuggled}`);
    expect([400, 505]).toContain(answer.status);
    expect(statusesIn(answer)).toHaveLength(1);
  });
  test("of HTTP/1.0, which has no Host: it finds the path that it names, and no other", async () => {
    const statuses = Object.entries({
      "/items": 200,
      "/health/live": 200,
      "/swagger/json": 200,
      "/events?after=0": 200,
      "/aaaaaaa/items": 404,
    });
    for (const [path, status] of statuses) {
      expect([path, (await api.raw(`GET ${path} HTTP/1.0\r\n\r\n`)).status]).toEqual([path, status]);
    }
  });
  test.each(["", "a b", "a/b", "a?b", "a#b", "user@localhost", "a\\b", "\u00ff"])("with an invalid Host, %j: 400", async (host) => {
    const answer = await api.raw(get(`Host: ${host}`, "Connection: close"));
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining("/problems/bad-request")]);
  });
  test.each(["[::1", "x:99999", "x:y", "%00", "a..b", "::1"])("with a Host that no URL can have, %j: the path counts", async (host) => {
    const lines = [`Host: ${host}`, "Connection: close"];
    const answer = await api.raw(`GET /events?after=0&limit=1 HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    expect([host, answer.status]).toEqual([host, 200]);
  });
  test("of another protocol", async () => {
    for (const bytes of [
      "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "SSH-2.0-x\r\n\r\n",
      "\r\n\r\n\r\n",
    ]) {
      const answer = await api.raw(`${bytes}${smuggled}`);
      expect([bytes, statusesIn(answer).some((status) => status < 300)]).toEqual([
        bytes,
        bytes === "\r\n\r\n\r\n" && statusesIn(answer)[0] === 200,
      ]);
    }
  });
});

describe("the method", () => {
  test.each(["get", "Get", "FOO", "GETS", "G ET", "\u0000"])("%j: the connection is closed", async (method) => {
    const answer = await api.raw(`${method} /items HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`);
    expect(answer.status).not.toBe(200);
    expect(statusesIn(answer).length).toBeLessThanOrEqual(1);
  });
  test("TRACE gives nothing back of what was sent: 405", async () => {
    const answer = await api.request("TRACE /items HTTP/1.1", "X-Secret: m4rker");
    expect([answer.status, answer.text.includes("m4rker")]).toEqual([405, false]);
  });
  test("CONNECT leads nowhere: 404", async () => {
    expect((await api.request("CONNECT 192.0.2.1:80 HTTP/1.1")).status).toBe(404);
  });
  test("an upgrade is not taken", async () => {
    for (const protocol of ["websocket", "h2c", "TLS/1.0"]) {
      const lines = [
        `Upgrade: ${protocol}`,
        "Connection: Upgrade, close",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
      ];
      const answer = await api.raw(`GET /items HTTP/1.1\r\nHost: localhost\r\n${lines.join("\r\n")}\r\n\r\n`);
      expect([protocol, answer.status]).toEqual([protocol, 200]);
    }
  });
});

test("two requests at once: Bun closes the connection where the first takes time; no answer is mixed up with another's", async () => {
  const answer = await api.raw(`GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`);
  expect([[], [404], [404, 200]]).toContainEqual(statusesIn(answer));
});
