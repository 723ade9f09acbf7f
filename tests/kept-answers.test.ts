// Storage of requests with an Idempotency-Key: enough to answer again, and not many times the size of the request.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { IdempotencyKeys } from "../src/store/changes/idempotency-keys";
import { KeptAnswers, keyLifetimeMs } from "../src/store/changes/kept-answers";
import { type Batch, Overlay } from "../src/store/changes/overlay";
import { TooMuchKept } from "../src/store/errors";
import { steadyNow } from "../src/timing/clock";
import { isOnPostgres, openApi, storeWith, type TestApi } from "./support/api";

let api: TestApi;
beforeEach(() => {
  api = openApi();
});
afterEach(() => api.close());

const ndjson = { "content-type": "application/x-ndjson" };
const bulk = (body: string, key: string) => api.send("POST", "/items/bulk", body, { ...ndjson, "idempotency-key": key });

/** Returns the size of the kept answers, in characters. */
function kept(): number {
  const db = new Database(api.databaseFile, { readonly: true });
  const row = db.query<{ kept: number }, []>("SELECT sum(length(answer)) AS kept FROM idempotency_keys").get();
  db.close();
  return row?.kept ?? 0;
}

test.skipIf(isOnPostgres)("a bulk of invalid entries takes no more than was sent, and the same answer comes again", async () => {
  // One of each part is valid, so that each part is kept.
  const lines = Array.from({ length: 10_000 }, (_, index) => (index % 500 === 0 ? '{"name":"a"}' : '{"nam":1}'));
  const body = `${lines.join("\n")}\n`;
  const first = await bulk(body, "key");
  expect([first.status, first.text.split("\n").filter((line) => line.includes('"status":201')).length]).toEqual([200, 20]);
  expect(kept()).toBeLessThan(body.length / 10);
  const again = await bulk(body, "key");
  expect(again.text).toBe(first.text);
  expect(await api.events()).toHaveLength(20);
});

test("records keep their places: some valid, some not, in either form", async () => {
  const entries = [{ name: "" }, { name: "b" }, { price: 1 }, { name: "d" }];
  const send = () => api.send("POST", "/items/bulk", entries, { "idempotency-key": "array" });
  const first = (await send()).json<{
    created: number;
    failed: number;
    results: { index: number; status: number; item?: { name: string } }[];
  }>();
  expect(first.results.map(({ index, status, item }) => [index, status, item?.name])).toEqual([
    [0, 422, undefined],
    [1, 201, "b"],
    [2, 422, undefined],
    [3, 201, "d"],
  ]);
  expect((await send()).json<typeof first>()).toEqual(first);
});

test("what is kept for one owner is bounded, for each by itself, and for some time only", () => {
  const kept = new KeptAnswers(1000);
  const isFull = (owner: string, now: number) => {
    try {
      kept.check(owner, now);
      return false;
    } catch (error) {
      return error instanceof TooMuchKept && error.retryAfter;
    }
  };
  kept.add("a", "x".repeat(2000), 5000);
  expect([isFull("a", 5000), isFull("a", 5000 + keyLifetimeMs / 2), isFull("b", 5000)]).toEqual([86_400, 43_200, false]);
  expect([isFull("a", 5000 + keyLifetimeMs), isFull("a", 6000 + keyLifetimeMs)]).toEqual([false, false]);
});

test("without tokens, a client that claims to be many has no more room than a few", () => {
  const kept = new KeptAnswers(1000);
  for (let n = 0; n < 10_000; n += 1) kept.add(`owner ${n}`, "x".repeat(1000), 0);
  expect(() => kept.check("another", 0)).toThrow(TooMuchKept);
});

test("what is kept counts once, also if a change runs several times until it is committed", () => {
  const [overlay, kept] = [new Overlay(), new KeptAnswers(1000)];
  const keys = new IdempotencyKeys(overlay, { get: () => undefined, forget() {}, add() {}, expire() {} }, kept);
  const run = (): Batch => {
    const batch = overlay.begin();
    overlay.run(batch, () => keys.answer({ key: "k", part: 0, fingerprint: "f", owner: "a" }, () => "x".repeat(500)));
    overlay.forget(batch);
    return batch;
  };
  run();
  run();
  for (const committed of run().onCommit) committed();
  kept.check("a", steadyNow());
  for (const committed of run().onCommit) committed();
  expect(() => kept.check("a", steadyNow())).toThrow(TooMuchKept);
});

test("a key too many is answered 429 with the time to wait", async () => {
  const insert = () => Promise.reject(new TooMuchKept(60));
  const full = openApi({ wrap: (store) => storeWith(store, { insert, insertEach: insert }) });
  for (const [path, body] of [
    ["/items", { name: "a" }],
    ["/items/bulk", [{ name: "a" }]],
  ] as const) {
    const { status, headers } = await full.send("POST", path, body, { "idempotency-key": "k" });
    expect([path, status, headers.get("retry-after")]).toEqual([path, 429, "60"]);
  }
  await full.close();
});
