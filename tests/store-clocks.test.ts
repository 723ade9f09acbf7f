// The clock of the machine is put forward and back, in a running process and between two: the times of changes stay in order.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { forEachEngineInFull } from "./support/engines";
import { PassingTime } from "./support/passing-time";
import { catalogue, order } from "./support/resources";
import { useStore } from "./support/use-store";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const changed = (current: typeof order.example) => ({ ...current, customer: `${current.customer}!` });
const times = (json: string) => JSON.parse(json) as { createdAt: string; updatedAt: string };

forEachEngineInFull((placesIn) => {
  let time: PassingTime;
  beforeEach(() => {
    time = new PassingTime();
  });
  afterEach(() => time.restore());
  const { reopen, store } = useStore(placesIn, catalogue.resources);

  test("of one record never go back, by a put-back clock or over a restart with one", async () => {
    const created = times((await store.insert(order, order.example)).json);
    for (const restart of [false, true]) {
      time.putForward(-10 * minuteMs);
      if (restart) await reopen();
      const { createdAt, updatedAt } = times((await store.update(order, 1, changed))?.json ?? "");
      expect(createdAt).toBe(created.createdAt);
      expect(updatedAt >= createdAt).toBe(true);
    }
    time.putForward(hourMs);
    expect(times((await store.update(order, 1, changed))?.json ?? "").updatedAt > created.createdAt).toBe(true);
  });

  test("follow that of a record whose events were pruned", async () => {
    const { updatedAt } = times((await store.insert(order, order.example)).json);
    await store.prune(new Date(Date.now() + hourMs).toISOString(), Number.POSITIVE_INFINITY);
    expect(await store.log.read(0, 1)).toEqual([]);
    time.putForward(-10 * minuteMs);
    await reopen();
    expect(times((await store.insert(order, order.example)).json).createdAt >= updatedAt).toBe(true);
  });

  test("and ids of events are in the order of the log, whatever the clock does", async () => {
    for (const jumpMs of [0, hourMs, -2 * hourMs, 5 * minuteMs, -minuteMs]) {
      time.putForward(jumpMs);
      if (jumpMs < 0) await reopen();
      await store.insert(order, order.example);
      await store.update(order, 1, changed);
      await store.remove(order, 2);
    }
    const entries = await store.log.read(0, 1000);
    expect(entries.map(({ timestamp }) => timestamp)).toEqual(entries.map(({ timestamp }) => timestamp).sort());
    expect(entries.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).sort());
    for (const { id } of entries) expect((await store.find(id))?.id).toBe(id);
  });

  test("ids are in order, and none is used twice, when there are more than a millisecond has", async () => {
    // The clock stands still.
    time.putForward(0);
    const many = Array.from({ length: 10_000 }, () => order.example);
    await store.insertAll(order, many, () => "");
    const ids = (await store.log.read(0, many.length)).map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test("a poller with updatedSince misses nothing", async () => {
    const seen = new Map<number, number>();
    let updatedSince = "";
    const poll = async () => {
      const { rows } = await store.list(order, { limit: 1000, sort: ["updatedAt"], updatedSince });
      for (const { id, version, json } of rows) {
        seen.set(id, version);
        updatedSince = times(json).updatedAt;
      }
    };
    for (let n = 1; n <= 20; n += 1) {
      await store.insert(order, order.example);
      await store.update(order, 1, changed);
      if (n % 3 === 0) await poll();
      time.putForward(n % 2 === 0 ? 3 * minuteMs : -5 * minuteMs);
      if (n % 5 === 0) await reopen();
    }
    await poll();
    const { rows } = await store.list(order, { limit: 1000 });
    expect(seen).toEqual(new Map(rows.map(({ id, version }) => [id, version])));
  });

  test("a key of Idempotency-Key is not forgotten by a clock that is put forward", async () => {
    const insert = (key: string) =>
      store.insertAll(order, [order.example], ([created]) => String(created?.id), { once: { key, fingerprint: "", part: 0 } });
    await insert("k");
    time.putForward(25 * hourMs);
    expect(await insert("k")).toBe("1");
    time.pass(25 * hourMs);
    expect(await insert("k")).toBe("2");
  });
});
