import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { LogFormat, LogLevel } from "../src/config/config";
import { LogStream } from "../src/observe/log-stream";
import { createLog } from "../src/observe/logging";
import { withoutSecrets } from "../src/observe/secrets";
import { traceField, validTraceparent } from "../src/observe/traceparent";
import { temporaryFolder } from "./support/folder";
import { eventually } from "./support/processes";

describe("a log", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  let fd: number;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, "log");
    fd = openSync(file, "a");
  });
  afterEach(() => {
    closeSync(fd);
    folder.remove();
  });
  /** The text of the log once it has its last line. */
  async function written(log: { warn(what: string): void }): Promise<string> {
    log.warn("the end");
    return eventually(() => {
      const text = readFileSync(file, "utf8");
      return text.includes("the end") && text.endsWith("\n") ? text : undefined;
    }, "the last line");
  }
  const open = (format: LogFormat, level: LogLevel = "info") => createLog({ level, format, stream: fd as 1 });

  test("is lines of JSON with level, time and fields", async () => {
    const log = open("json");
    log.child({ event: "019ab790", trace_id: "0af7" }).info({ queue: "audit" }, "Done");
    const [first = ""] = (await written(log)).split("\n");
    const { time, ...line } = JSON.parse(first) as Record<string, string>;
    expect(line).toEqual({ level: "info", event: "019ab790", trace_id: "0af7", queue: "audit", msg: "Done" });
    expect(new Date(time ?? "").toISOString()).toBe(time ?? "");
  });

  test("is readable for a person", async () => {
    const log = open("pretty");
    log.info({ queue: "audit" }, "Done");
    expect(Bun.stripANSI(await written(log))).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Done\n {4}queue: "audit"\n/);
  });

  test("leaves out what is below its level", async () => {
    const log = open("json", "warn");
    log.info("Too much");
    expect(await written(log)).not.toContain("Too much");
  });

  test.each(["json", "pretty"] as const)("%s: hides secrets, in fields, texts and errors", async (format) => {
    const log = open(format);
    log.warn({ headers: { authorization: "Bearer s3cret", cookie: "a=s3cret" }, token: "s3cret" }, "A request");
    log.warn({ error: "amqp://user:s3cret@host:5672/ refused" }, "amqp://user:s3cret@host");
    log.warn({ err: new Error('connect to amqps://me:pa"s3cret@broker failed') });
    log.child({ password: "s3cret" }).warn("Authorization: Bearer s3cret.abc-1=");
    log.warn({ config: { apiTokens: ["s3cret"] } }, "whsec_s3cret/+=");
    const text = await written(log);
    expect(text).not.toContain("s3cret");
    expect(text).toContain("amqp://***@host");
    expect(text).toContain("Bearer ***");
  });
});

test("property: the password of a URL is in no line, and the line stays JSON", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9]{1,10}$/);
  fc.assert(
    fc.property(
      word,
      fc.string({ minLength: 1 }).filter((text) => !/\s/.test(text)),
      word,
      fc.string(),
      (user, password, host, around) => {
        const secret = `<${password}>`;
        const line = JSON.stringify({ msg: `${around} amqp://${user}:${secret}@${host}/ ${around}` });
        const hidden = (JSON.parse(withoutSecrets()(line)) as { msg: string }).msg;
        expect(hidden).toContain(`amqp://***@${host}/`);
        expect(hidden.replaceAll(around, "")).not.toContain(secret);
      },
    ),
  );
});

describe("a stream of lines", () => {
  /** A descriptor whose writes the test ends. */
  function descriptor() {
    const writes: { text: string; end(error: string | null, written?: number): void }[] = [];
    const lost: number[] = [];
    const stream = new LogStream(
      7,
      (lines) => lost.push(lines),
      (_, bytes, done) =>
        writes.push({
          text: bytes.toString(),
          end: (code, written = bytes.length) => done(code === null ? null : Object.assign(new Error(code), { code }), written),
        }),
    );
    return { stream, writes, lost, texts: () => writes.map(({ text }) => text) };
  }

  test("keeps the order, and writes what came meanwhile at once", () => {
    const { stream, writes, texts } = descriptor();
    for (const line of ["a\n", "b\n", "c\n"]) stream.write(line);
    expect(texts()).toEqual(["a\n"]);
    writes[0]?.end(null);
    expect(texts()).toEqual(["a\n", "b\nc\n"]);
  });

  test("goes on where a write has ended too early, and tries again what would have blocked", async () => {
    const { stream, writes, texts, lost } = descriptor();
    stream.write("abc\n");
    writes[0]?.end(null, 1);
    expect(texts()).toEqual(["abc\n", "bc\n"]);
    writes[1]?.end("EAGAIN", 0);
    await eventually(() => (writes.length === 3 ? true : undefined), "another write");
    expect(texts().at(-1)).toBe("bc\n");
    writes[2]?.end(null);
    expect(lost).toEqual([]);
  });

  test("loses what cannot be written, and tells how much when it can again", () => {
    const { stream, writes, lost } = descriptor();
    stream.write("a\n");
    stream.write("b\n");
    writes[0]?.end("ENOSPC", 0);
    writes[1]?.end("ENOSPC", 0);
    expect(lost).toEqual([]);
    stream.write("c\n");
    writes[2]?.end(null);
    expect(lost).toEqual([2]);
  });

  test("keeps no more than a megabyte for a reader that does not read", () => {
    const { stream, writes, texts, lost } = descriptor();
    const line = `${"x".repeat(1023)}\n`;
    for (let n = 0; n < 5000; n += 1) stream.write(line);
    writes[0]?.end(null);
    writes[1]?.end(null);
    expect(texts().join("").length).toBe(1024 + 1024 * 1024);
    expect(lost).toEqual([5000 - 1025]);
  });
});

describe("traceparent", () => {
  const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  test("of W3C Trace Context is taken, and named in a log as OpenTelemetry does", () => {
    expect(validTraceparent(good)).toBe(good);
    expect(traceField(good)).toEqual({ trace_id: "0af7651916cd43dd8448eb211c80319c" });
  });
  test.each([
    undefined,
    7,
    "",
    "00-x",
    good.toUpperCase(),
    good.replace("00-", "ff-"),
    good.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)),
    good.replace("b7ad6b7169203331", "0".repeat(16)),
    `${good}\n`,
    `${good}-x`,
  ])("%j is none", (value) => {
    expect(validTraceparent(value)).toBeUndefined();
    expect(traceField(value)).toEqual({});
  });
});
