// POST /items/bulk: many records with one request, each created or refused by itself.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { maxBulkBytes, maxBulkItems } from "../src/crud/read-bulk";
import { type Splitter, splitArray, splitLines } from "../src/crud/split";
import { maxBodyBytes } from "../src/http/json-body";
import { StoreUnavailable } from "../src/store/errors";
import type { Store } from "../src/store/store";
import { type Answer, isOnPostgres, openApi, storeWith, type TestApi } from "./support/api";
import { order } from "./support/resources";

let api: TestApi;
beforeEach(() => {
  api = openApi();
});
afterEach(() => api.close());

const ndjson = { "content-type": "application/x-ndjson" };
const json = { "content-type": "application/json" };
const problem = "application/problem+json";

interface Result {
  line?: number;
  index?: number;
  status: number;
  item?: { id: number; name: string };
  problem?: { type: string; detail: string; errors?: { pointer: string }[] };
}
interface Summary {
  created: number;
  failed: number;
  results: Result[];
}

const post = (body: string | Uint8Array, headers: Record<string, string> = ndjson) => api.send("POST", "/items/bulk", body, headers);
const linesOf = (answer: Answer) => {
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, ndjson["content-type"]]);
  expect(answer.text === "" || answer.text.endsWith("\n")).toBe(true);
  return answer.text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result);
};
const statuses = (answer: Answer) => linesOf(answer).map(({ line, status }) => [line, status]);
const names = async () => (await api.events()).map((event) => (event["item"] as { name: string }).name);
const bytes = (...parts: (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part as number[]))));

describe("lines of JSON", () => {
  test("each line has its answer: what was created, or what is wrong with it", async () => {
    const answer = await post('{"name":"a","price":1}\n{"price":-1,"colour":"red"}\n{"name":"b"}\n');
    const lines = linesOf(answer);
    expect(lines).toEqual([
      { line: 1, status: 201, item: expect.objectContaining({ id: 1, name: "a", description: null, price: 1, version: 1 }) },
      {
        line: 2,
        status: 422,
        problem: expect.objectContaining({ type: "/problems/invalid", status: 422, detail: "The line is not valid." }),
      },
      { line: 3, status: 201, item: expect.objectContaining({ id: 2, name: "b" }) },
    ]);
    expect(lines[1]?.problem?.errors?.map(({ pointer }) => pointer).sort()).toEqual(["/colour", "/name", "/price"]);
    // The very text of the record, as everywhere.
    expect(answer.text).toContain(`"item":${(await api.send("GET", "/items/2")).text}}\n`);
  });

  test("one event each, in their order", async () => {
    await post('{"name":"a"}\n{"name":""}\n{"name":"b"}');
    expect((await api.events()).map((event) => [event["type"], (event["item"] as { name: string }).name])).toEqual([
      ["item.created", "a"],
      ["item.created", "b"],
    ]);
  });

  test("blank lines are passed over but counted; a carriage return belongs to the line end; the last newline may be missing", async () => {
    expect(statuses(await post('\n{"name":"a"}\r\n \t\r\n\n{"name":"b"}'))).toEqual([
      [2, 201],
      [5, 201],
    ]);
  });

  test.each([
    ["no bytes", ""],
    ["blank lines", "\n\n \n"],
  ])("%s: 200 with no line", async (_, body) => {
    expect(linesOf(await post(body))).toEqual([]);
  });

  test("a line that is not JSON, UTF-8 or an object, or is too deep, fails alone", async () => {
    const deep = `{"name":"x","description":${"[".repeat(100)}${"]".repeat(100)}}`;
    const body = bytes(
      '{"name":"a"}\n{"name":\nnull\n"\n',
      '{"name":"',
      [0xff, 0xfe],
      `"}\n${deep}\n{"name":"b"}{"name":"c"}\n{"name":"d"}`,
    );
    expect(statuses(await post(body))).toEqual([
      [1, 201],
      [2, 400],
      [3, 422],
      [4, 400],
      [5, 400],
      [6, 422],
      [7, 400],
      [8, 201],
    ]);
    expect(await names()).toEqual(["a", "d"]);
  });

  test("a line may be as long as a body; one that is longer is 413, and those around it are fine", async () => {
    const full = (length: number) => {
      const line = '{"name":"x"}';
      return line + " ".repeat(length - line.length);
    };
    expect(
      statuses(await post(`{"name":"a"}\n${full(maxBodyBytes)}\n${full(maxBodyBytes + 1)}\n${"y".repeat(3 * maxBodyBytes)}\n{"name":"b"}`)),
    ).toEqual([
      [1, 201],
      [2, 201],
      [3, 413],
      [4, 413],
      [5, 201],
    ]);
  });

  test("a line is as exact as a body", async () => {
    const body =
      '{"name":"a","name":"b"}\n{"name":"a\\u0000"}\n{"name":"a","price":0.1234567890123456789}\n{"name":"a","price":"5"}\n{"name":"good"}';
    expect(statuses(await post(body)).map(([, status]) => status)).toEqual([422, 422, 422, 422, 201]);
    expect((await api.send("POST", "/items/bulk?dryRun=true", '{"name":"a"}', ndjson)).status).toBe(422);
  });

  test("at most ten mistakes per line are reported, to limit the size of the response", async () => {
    const line = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`field${n}`, n])));
    expect(linesOf(await post(line))[0]?.problem?.errors?.length).toBe(10);
  });
});

describe("a JSON array", () => {
  test("has an answer with the counts, and a result for each element by its index", async () => {
    const answer = await post('[ {"name":"a"} ,{"name":""},\n{"name":"b, ]}\\""} ]', json);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, json["content-type"]]);
    expect(answer.json<Summary>()).toMatchObject({
      created: 2,
      failed: 1,
      results: [
        { index: 0, status: 201, item: { id: 1, name: "a" } },
        { index: 1, status: 422, problem: { detail: "The element is not valid.", errors: [{ pointer: "/name" }] } },
        { index: 2, status: 201, item: { id: 2, name: 'b, ]}"' } },
      ],
    });
  });

  test("may be empty", async () => {
    expect((await post(" [ ] ", json)).json<Summary>()).toEqual({ created: 0, failed: 0, results: [] });
  });

  test("an element that is not an object is invalid; one that is too long is 413", async () => {
    const answer = await post(`[1, "]", null, [], {"name":"${"x".repeat(maxBodyBytes)}"}, {"name":"a"}]`, json);
    expect(answer.json<Summary>().results.map(({ status }) => status)).toEqual([422, 422, 422, 422, 413, 201]);
  });

  test.each([
    "",
    " ",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1 2]",
    '[{"name":"a"}]]',
    '[{"name":"a"}] x',
    '[{"name":"a"]',
    "[}]",
    '["a]',
    "[nope]",
    '[{"name":"a"}{"name":"b"}]',
  ])("%p is no JSON: 400 for the whole, and nothing is created", async (body) => {
    const answer = await post(body.replace("[1", '[{"name":"a"}'), json);
    expect([answer.status, answer.headers.get("content-type"), await names()]).toEqual([400, problem, []]);
  });

  test("invalid UTF-8 in it: 400 for the whole", async () => {
    const answer = await post(bytes('[{"name":"a"},{"name":"', [0xff], '"}]'), json);
    expect([answer.status, answer.json<{ detail: string }>().detail, await names()]).toEqual([
      400,
      "The element is not valid UTF-8. Its index is 1.",
      [],
    ]);
  });

  test.each(['{"name":"a"}', '"a"', "1", "null"])("%s is not an array: 422", async (body) => {
    expect((await post(body, json)).status).toBe(422);
  });
});

describe("the whole request", () => {
  test("another content type is 415", async () => {
    for (const type of ["text/plain", "application/json-seq", "application/merge-patch+json"])
      expect((await post('{"name":"a"}', { "content-type": type })).status).toBe(415);
    expect(linesOf(await post('{"name":"a"}', { "content-type": "Application/X-NDJSON; charset=utf-8" })).length).toBe(1);
  });

  test("10,000 items are taken, each once, in a few commits", async () => {
    let commits = 0;
    const stop = api.store.onAppend(() => {
      commits += 1;
    });
    const many = Array.from({ length: maxBulkItems }, (_, n) => ({ name: `item ${n}`, price: n }));
    const { created, failed, results } = (await post(JSON.stringify(many), json)).json<Summary>();
    stop();
    // Several processes may tell of a commit more often.
    expect([created, failed, isOnPostgres ? Math.min(commits, 20) : commits]).toEqual([10_000, 0, 20]);
    expect(results.map(({ index, item }) => [index, item?.id, item?.name])).toEqual(many.map(({ name }, n) => [n, n + 1, name]));
    expect([(await names()).length, await api.store.log.end()]).toEqual([10_000, 10_000]);
  });

  test("one more is 413, and nothing is created; blank lines are no items", async () => {
    const line = '{"name":"x"}\n\n';
    for (const [body, headers] of [
      [line.repeat(maxBulkItems + 1), ndjson],
      [`[${Array(maxBulkItems + 1).fill(line)}]`, json],
    ] as const) {
      const answer = await post(body, headers);
      expect([answer.status, answer.json<{ detail: string }>().detail, await names()]).toEqual([
        413,
        "A bulk request may have at most 10000 records.",
        [],
      ]);
    }
    expect(linesOf(await post(`${"1\n\n".repeat(maxBulkItems)}`)).length).toBe(maxBulkItems);
  });

  test("more bytes than allowed are 413, with Content-Length and without, and nothing is created", async () => {
    const big = `{"name":"a"}\n${" ".repeat(maxBulkBytes)}`;
    expect([(await post(big)).status, (await post(big, { ...ndjson, "content-length": String(big.length) })).status]).toEqual([413, 413]);
    expect(await names()).toEqual([]);
  });

  test("a body without end is answered as soon as it is too large, here and elsewhere", async () => {
    for (const [path, headers, limit] of [
      ["/items/bulk", ndjson, maxBulkBytes],
      ["/items", json, maxBodyBytes],
    ] as const) {
      let sent = 0;
      const chunk = Buffer.alloc(256 * 1024, " ");
      const endless = new ReadableStream({
        pull(controller) {
          sent += chunk.length;
          controller.enqueue(chunk);
        },
      });
      expect((await api.send("POST", path, endless, headers)).status).toBe(413);
      expect([path, sent > limit, sent <= limit + 4 * chunk.length]).toEqual([path, true, true]);
    }
  });

  test("works for every resource, with defaults and nested records", async () => {
    const { state: _, recipient: __, ...required } = order.example;
    const answer = await api.send("POST", "/orders/bulk", JSON.stringify([required, {}]), json);
    expect(answer.json<{ results: { order?: object }[] }>().results).toMatchObject([
      { index: 0, status: 201, order: { id: 1, state: "open", recipient: null } },
      { index: 1, status: 422 },
    ]);
  });
});

describe("when the store fails", () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => `{"name":"item ${n}"}`).join("\n");
  let working: number;
  /** A store that takes so many commits. */
  const failing = () =>
    openApi({
      wrap: (store: Store) =>
        storeWith(store, {
          insertEach: (...created) => {
            working -= 1;
            return working < 0 ? Promise.reject(new StoreUnavailable("SQLITE_FULL")) : store.insertEach(...created);
          },
        }),
    });

  test("at once: 503 for the whole", async () => {
    working = 0;
    const broken = failing();
    const answer = await broken.send("POST", "/items/bulk", many(3), ndjson);
    expect([answer.status, await broken.store.log.end()]).toEqual([503, 0]);
    await broken.close();
  });

  test("in the middle: what is created is told, and the rest is 503, line by line; the same key finishes it, and creates nothing twice", async () => {
    working = 2;
    const broken = failing();
    const send = () => broken.send("POST", "/items/bulk", many(2500), { ...ndjson, "idempotency-key": "k1" });
    const first = linesOf(await send());
    expect([first.filter(({ status }) => status === 201).length, first.filter(({ status }) => status === 503).length]).toEqual([
      1000, 1500,
    ]);
    expect(first[1000]).toEqual({ line: 1001, status: 503, problem: expect.objectContaining({ type: "/problems/unavailable" }) });
    // The answer is 200, so that nobody else would tell.
    expect(broken.lines).toMatchObject([{ level: "error", requestId: expect.any(String), path: "/items/bulk", error: "SQLITE_FULL" }]);
    working = Number.POSITIVE_INFINITY;
    const second = linesOf(await send());
    expect(second.slice(0, 1000)).toEqual(first.slice(0, 1000));
    expect(second.map(({ item }) => item?.id)).toEqual(Array.from({ length: 2500 }, (_, n) => n + 1));
    expect([linesOf(await send()), await broken.store.log.end()]).toEqual([second, 2500]);
    await broken.close();
  });
});

test("the same bulk at the same time under one key: every record once, and the same answer to both", async () => {
  const body = Array.from({ length: 1500 }, (_, n) => `{"name":"item ${n}"}`).join("\n");
  const answers = await Promise.all(Array.from({ length: 4 }, () => post(body, { ...ndjson, "idempotency-key": "k1" })));
  expect([new Set(answers.map(({ text }) => text)).size, linesOf(answers[0] as Answer).length, (await names()).length]).toEqual([
    1, 1500, 1500,
  ]);
});

test("other requests get their turn while bulks are written", async () => {
  const body = Array.from({ length: 3000 }, (_, n) => `{"name":"item ${n}"}`).join("\n");
  const bulks = Promise.all(Array.from({ length: 4 }, () => post(body)));
  const seen: number[] = [];
  let done = false;
  void bulks.then(() => {
    done = true;
  });
  while (!done) seen.push((await api.send("POST", "/items", { name: "other" })).json<{ id: number }>().id);
  await bulks;
  // Between the parts of all four, and not before or after them: never more than one part waits in a commit.
  const ids = [0, ...seen];
  const gaps = ids.slice(1).map((id, n) => id - (ids[n] as number));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1 + 2 * 500);
  expect(seen.length).toBeGreaterThan(12);
});

describe("property: however a body is cut into chunks", () => {
  const split = (splitter: Splitter, body: Uint8Array, cuts: readonly number[]) => {
    const places = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b);
    const pieces = places.slice(1).flatMap((end, n) => [...splitter.push(body.subarray(places[n], end))]);
    return [...pieces, ...splitter.end()].map(({ place, bytes }) => [place, bytes && Buffer.from(bytes).toString()]);
  };
  const cuts = fc.array(fc.nat(400), { maxLength: 12 });
  const value = fc.jsonValue({ maxDepth: 3 });
  const space = fc.constantFrom("", " ", "\r\n", "\t ");

  test("lines are those of the text", () => {
    const line = fc.oneof(
      value.map((each) => JSON.stringify(each)),
      fc.constantFrom("", " ", "\t\r", "käse", "x".repeat(60)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), cuts, (lines, at) => {
        const expected = lines.flatMap((text, n) => (text.trim() === "" ? [] : [[n + 1, Buffer.byteLength(text) > 50 ? null : text]]));
        expect(split(splitLines(50, 1000), Buffer.from(lines.join("\n")), at)).toEqual(expected);
      }),
    );
  });

  test("elements are those of the array", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, value, space), { maxLength: 6 }), space, cuts, (elements, around, at) => {
        const body = `${around}[${elements.map(([before, each, after]) => before + JSON.stringify(each) + after)}]${around}`;
        const expected = elements.map(([before, each, after], n) => [n, before + JSON.stringify(each) + after]);
        expect(split(splitArray(1e6), Buffer.from(body), at)).toEqual(expected);
      }),
    );
  });

  test("a body that is not an array of JSON texts is refused, by the splitter or by the reader of its pieces", () => {
    const near = fc
      .array(fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", "1", ":", " ", "null"), { maxLength: 10 })
      .map((parts) => parts.join(""));
    const parsed = (read: () => unknown) => {
      try {
        return { value: read() };
      } catch {
        return "refused";
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          near,
          near.map((inner) => `[${inner}]`),
        ),
        cuts,
        (text, at) => {
          const whole = parsed(() => JSON.parse(text));
          const pieces = parsed(() => split(splitArray(1e6), Buffer.from(text), at).map(([, bytes]) => JSON.parse(String(bytes))));
          expect(pieces).toEqual(typeof whole === "object" && !Array.isArray(whole.value) ? "refused" : whole);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
