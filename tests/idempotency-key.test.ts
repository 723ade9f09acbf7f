// Idempotency-Key on POST: the same request again gets the first answer, and creates nothing.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fingerprintOf, onceOf } from "../src/crud/idempotency-key";
import { item } from "../src/domain/item";
import { KeyReused, StoreUnavailable } from "../src/store/errors";
import { migrate, storeMigrations } from "../src/store/sqlite/schema/migrations";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { type Answer, openApi, storeWith, type TestApi } from "./support/api";
import { temporaryFolder } from "./support/folder";
import { PassingTime } from "./support/passing-time";
import { catalogue, order } from "./support/resources";

let api: TestApi;
let time: PassingTime;
beforeEach(() => {
  time = new PassingTime();
  api = openApi();
});
afterEach(async () => {
  time.restore();
  await api.close();
});

const sample = { name: "Sample Item", price: 9.99 };
const post = (body: unknown, key: string, headers = {}, path = "/items") =>
  api.send("POST", path, body, { "idempotency-key": key, ...headers });
const whole = ({ status, headers, text }: Answer) => [
  status,
  text,
  ...["location", "etag", "content-type"].map((name) => headers.get(name)),
];
const reused = expect.objectContaining({ type: "/problems/idempotency-key-reused", status: 422 });
const items = async () => (await api.send("GET", "/items")).json<{ items: unknown[] }>().items.length;
const hoursMs = 60 * 60 * 1000;

describe("the same key and body again", () => {
  test("gets the first answer: status, body, Location and ETag; there is one item and one event", async () => {
    const first = await post(sample, "k1");
    expect(whole(first)).toEqual([201, expect.any(String), "/items/1", expect.stringMatching(/^"1-/), "application/json"]);
    expect(whole(await post(sample, "k1"))).toEqual(whole(first));
    expect([await items(), (await api.events()).length]).toEqual([1, 1]);
  });

  test("gets it also when the item has changed since, or is gone", async () => {
    const first = await post(sample, "k1");
    await api.send("PATCH", "/items/1", { price: 1 });
    expect(whole(await post(sample, "k1"))).toEqual(whole(first));
    await api.send("DELETE", "/items/1");
    expect(whole(await post(sample, "k1"))).toEqual(whole(first));
    expect(await items()).toBe(0);
  });

  test("is the same in another order and spacing", async () => {
    const first = await post(sample, "k1");
    const asJson = { "content-type": "application/json" };
    expect(whole(await post('{ "price" : 9.990,\n"name":"Sample Item" }', "k1", asJson))).toEqual(whole(first));
    const [there, back] = [{ lines: [{ item: 1, quantity: 2 }] }, { lines: [{ quantity: 2, item: 1 }] }].map(({ lines }) => ({
      ...order.example,
      lines,
    }));
    expect(whole(await post(back, "k2", {}, "/orders"))).toEqual(whole(await post(there, "k2", {}, "/orders")));
  });

  test("at the same time, in one commit: one item, and every answer is the same", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(sample, "k1")));
    expect(new Set(answers.map((answer) => JSON.stringify(whole(answer)))).size).toBe(1);
    expect([answers[0]?.status, await items(), (await api.events()).length]).toEqual([201, 1, 1]);
  });
});

describe("the same key and another body", () => {
  test("is 422 with a type of its own, and changes nothing", async () => {
    await post(sample, "k1");
    const answer = await post({ ...sample, price: 1 }, "k1");
    expect([answer.status, answer.headers.get("content-type"), answer.json()]).toEqual([422, "application/problem+json", reused]);
    expect(await items()).toBe(1);
  });

  test("at the same time: one body wins, and the other is 422", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => post({ name: `item ${n % 2}` }, "k1")));
    const created = answers.filter(({ status }) => status === 201);
    expect([created.length, new Set(created.map(({ text }) => text)).size]).toEqual([25, 1]);
    for (const answer of answers.filter(({ status }) => status !== 201)) expect(answer.json()).toEqual(reused);
  });
});

describe("a key belongs", () => {
  test("to one path", async () => {
    expect((await post(sample, "k1")).status).toBe(201);
    expect((await post(order.example, "k1", {}, "/orders")).status).toBe(201);
    expect((await post([sample], "k1", {}, "/items/bulk")).json()).toMatchObject({ created: 1 });
    // The same path, in another way.
    expect((await post(sample, "k1", {}, "/items/")).headers.get("location")).toBe("/items/1");
  });

  test("to one token, and the store keeps none", async () => {
    const places: unknown[] = [];
    for (const authorization of ["Bearer one-long-token", "Bearer another-token", "bearer one-long-token"])
      places.push((await post(sample, "k1", { authorization })).headers.get("location"));
    expect(places).toEqual(["/items/1", "/items/2", "/items/1"]);
    const headers = { "idempotency-key": "k1", authorization: "Bearer one-long-token" };
    const kept = onceOf(item, new Request("http://test/items", { method: "POST", headers }), () => fingerprintOf(sample));
    expect(kept).toEqual({
      key: expect.stringMatching(/^[\w-]{43}$/),
      owner: expect.stringMatching(/^[\w-]{43}$/),
      fingerprint: expect.stringMatching(/^[\w-]{43}$/),
      part: 0,
    });
  });
});

test("without a key, the same body is another item", async () => {
  for (const place of ["/items/1", "/items/2"]) expect((await api.send("POST", "/items", sample)).headers.get("location")).toBe(place);
});

describe("a request that is refused leaves its key free", () => {
  test("one that is not valid", async () => {
    expect((await post({ name: "" }, "k1")).status).toBe(422);
    expect((await post("{", "k1", { "content-type": "application/json" })).status).toBe(400);
    expect((await post([{ name: "" }], "k1", {}, "/items/bulk")).json()).toMatchObject({ created: 0, failed: 1 });
    expect((await post(sample, "k1")).status).toBe(201);
    expect((await post([sample], "k1", {}, "/items/bulk")).json()).toMatchObject({ created: 1, failed: 0 });
  });

  test("one that the store could not take", async () => {
    let away = true;
    const failing = openApi({
      wrap: (store) =>
        storeWith(store, {
          insert: (...created) => (away ? Promise.reject(new StoreUnavailable("SQLITE_FULL")) : store.insert(...created)),
        }),
    });
    const again = () => failing.send("POST", "/items", sample, { "idempotency-key": "k1" });
    expect((await again()).status).toBe(503);
    away = false;
    expect((await again()).status).toBe(201);
    await failing.close();
  });
});

describe("the header", () => {
  test("is a string in quotes, as the draft has it, or the same without them", async () => {
    for (const [key, same] of [
      ["8e03978e-40d5-43e8-bc93-6894a57f9324", '"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
      ["!#$%&'()*+-./:;<=>?@[]^_`{|}~", '"!#$%&\'()*+-./:;<=>?@[]^_`{|}~"'],
      ["x".repeat(255), `"${"x".repeat(255)}"`],
    ] as const) {
      const first = await post(sample, key);
      expect([first.status, whole(await post(sample, same))]).toEqual([201, whole(first)]);
    }
    expect((await post(sample, '"a \\"b\\" \\\\, c"')).status).toBe(201);
  });

  test.each(["", '""', "x".repeat(256), `"${"x".repeat(256)}"`, "two words", "a, b", '"a', 'a"', '"a\\b"', '"a";p=1', "käse", '"a", "b"'])(
    "%p is malformed: 400",
    async (key) => {
      for (const path of ["/items", "/items/bulk"]) {
        const answer = await post(path === "/items" ? sample : [sample], key, {}, path);
        expect([answer.status, answer.json<{ detail: string }>().detail]).toEqual([
          400,
          expect.stringContaining("1 to 255 visible ASCII characters"),
        ]);
      }
      expect(await items()).toBe(0);
    },
  );
});

describe("after 24 hours", () => {
  test("a key is new again, and not before", async () => {
    await post(sample, "k1");
    time.pass(24 * hoursMs - 1000);
    expect((await post(sample, "k1")).headers.get("location")).toBe("/items/1");
    time.pass(2000);
    expect((await post({ name: "another" }, "k1")).headers.get("location")).toBe("/items/2");
    // And stands for that from now on.
    expect((await post(sample, "k1")).json()).toEqual(reused);
  });

  test("a bulk of several commits is new as a whole", async () => {
    const many = Array.from({ length: 1200 }, (_, n) => ({ name: `item ${n}` }));
    const ids = async () => {
      const { results } = (await post(many, "k1", {}, "/items/bulk")).json<{ results: { item: { id: number } }[] }>();
      return [results[0]?.item.id, results.at(-1)?.item.id];
    };
    expect([await ids(), await ids()]).toEqual([
      [1, 1200],
      [1, 1200],
    ]);
    time.pass(25 * hoursMs);
    expect([await ids(), await ids()]).toEqual([
      [1201, 2400],
      [1201, 2400],
    ]);
  });
});

describe("the store", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  let store: Store;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, "warren.db");
    store = openSqliteStore(file, catalogue.resources);
  });
  afterEach(async () => {
    await store.close();
    folder.remove();
  });

  const fields = { name: "x", description: null, price: null };
  const insert = (key: string, name = "x") =>
    store.insertAll(item, [{ ...fields, name }], ([created]) => String(created?.id), { once: { key, fingerprint: name, part: 0 } });
  const keys = () => {
    using db = new Database(file, { readonly: true });
    return db
      .query<{ key: string }, []>("SELECT key FROM idempotency_keys ORDER BY number")
      .all()
      .map(({ key }) => key);
  };

  test("removes expired keys as new ones come, a few at a time, so that no commit waits for many", async () => {
    for (let n = 0; n < 10; n += 1) await insert(`old ${n}`);
    time.pass(25 * hoursMs);
    await insert("new 0");
    expect(keys()).toEqual([...Array.from({ length: 8 }, (_, n) => `old ${n + 2}`), "new 0"]);
    for (let n = 1; n < 8; n += 1) await insert(`new ${n}`);
    expect(keys()).toEqual(Array.from({ length: 8 }, (_, n) => `new ${n}`));
  });

  test("forgets all parts of an expired key at once, also for those that come in the same commit", async () => {
    const part = (part: number) =>
      store.insertAll(item, [fields], ([created]) => String(created?.id), { once: { key: "k", fingerprint: "", part } });
    expect(await Promise.all([part(0), part(1)])).toEqual(["1", "2"]);
    expect(await Promise.all([part(0), part(1)])).toEqual(["1", "2"]);
    time.pass(25 * hoursMs);
    expect(await Promise.all([part(0), part(1)])).toEqual(["3", "4"]);
    expect(await Promise.all([part(0), part(1)])).toEqual(["3", "4"]);
  });

  test("keeps nothing of a change without a key", async () => {
    await store.insert(item, fields);
    await store.insertAll(item, [fields, fields], () => "");
    expect([keys(), await store.log.end()]).toEqual([[], 3]);
  });

  test("a neighbour in the commit that fails makes no difference: the key commits with its item, once", async () => {
    using db = new Database(file);
    db.run("CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.body LIKE '%bad%' BEGIN SELECT RAISE(ABORT, 'refused'); END");
    const outcomes = await Promise.allSettled([insert("a"), insert("b", "bad"), insert("a"), insert("a", "other")]);
    expect(outcomes).toMatchObject([{ value: "1" }, { status: "rejected" }, { value: "1" }, { reason: expect.any(KeyReused) }]);
    expect([keys(), await store.get(item, 2), await store.log.end()]).toEqual([["a"], undefined, 1]);
    // The key of what failed is free.
    expect(await insert("b", "good")).toBe("2");
  });

  test("a database from before there were keys gets them, and keeps what is in it", async () => {
    const older = join(folder.path, "older.db");
    const db = new Database(older, { create: true });
    migrate(db, older, storeMigrations.slice(0, 1));
    db.run("INSERT INTO events (id, type, subject, timestamp, body) VALUES ('e', 'item.created', 1, '2026-01-01T00:00:00.000Z', '{}')");
    db.close();
    await store.close();
    store = openSqliteStore(older, catalogue.resources);
    expect([await insert("a"), await insert("a"), await store.log.end()]).toEqual(["1", "1", 2]);
  });
});
