// How much requests may run ahead of what RabbitMQ confirms: half a second of events while it is well, and any number while it is not.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { item } from "../src/domain/item";
import { storesFor } from "../src/http/request-store";
import type { Store } from "../src/store/store";
import { Pace } from "../src/timing/pace";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A log, the requests that add to it, and a broker that confirms it. */
function system() {
  const pace = new Pace();
  const at = { produced: 0, confirmed: 0, waiting: 0, most: 0 };
  const produce = (events: number) => {
    at.produced += events;
    at.most = Math.max(at.most, at.produced - at.confirmed);
    pace.producedTo(at.produced);
  };
  const confirm = (events: number) => {
    at.confirmed = Math.min(at.produced, at.confirmed + events);
    pace.confirmedTo(at.confirmed);
  };
  /** One request after another on a connection. */
  const request = async (events = 1): Promise<void> => {
    const turn = pace.enter();
    at.waiting += 1;
    await turn;
    at.waiting -= 1;
    produce(events);
    if (turn) pace.leave();
  };
  return { pace, at, produce, confirm, request };
}

type System = ReturnType<typeof system>;

/** Lets each of some connections send a request whenever it can, while the broker confirms `perSecond`. Every 10 ms, both get their turn. */
async function load({ at, confirm, request }: System, { connections = 64, perSecond = 0, seconds = 1, events = 1 } = {}): Promise<void> {
  const until = performance.now() + seconds * 1000;
  let isOver = false;
  const clients = Array.from({ length: connections }, async () => {
    while (!isOver) {
      await request(events);
      // No request is answered at once.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  while (performance.now() < until) {
    confirm(perSecond / 100);
    await advance(10);
  }
  isOver = true;
  const waited = at.waiting;
  for (let turn = 0; turn < 200; turn += 1) await advance(10);
  await Promise.all(clients);
  expect(waited).toBeLessThanOrEqual(connections);
}

describe("while the broker is well", () => {
  test.each([
    [1_000, 500],
    [4_000, 2_000],
  ])("no more waits than it confirms in half a second, at %p/s", async (perSecond, most) => {
    const all = system();
    await load(all, { perSecond, seconds: 1 });
    all.at.most = 0;
    const before = all.at.confirmed;
    await load(all, { perSecond, seconds: 2 });
    // What came while it was measured counts, too.
    expect(all.at.most).toBeLessThan(most * 1.6 + 128);
    // It always has something to confirm.
    expect(all.at.confirmed - before).toBeGreaterThan(perSecond * 1.9);
  });

  test("requests that it keeps up with do not wait", async () => {
    const { pace, request, confirm } = system();
    for (let turn = 0; turn < 200; turn += 1) {
      for (let n = 0; n < 20; n += 1) {
        expect(pace.enter()).toBeUndefined();
        await request();
      }
      await advance(5);
      confirm(20);
    }
  });

  test("a request with many events makes the others wait for them", async () => {
    const all = system();
    await load(all, { perSecond: 1_000, seconds: 1, events: 1 });
    all.at.most = 0;
    await load(all, { connections: 4, perSecond: 1_000, seconds: 2, events: 200 });
    expect(all.at.most).toBeLessThan(500 * 2 + 4 * 200);
  });
});

describe("requests are not slowed down", () => {
  test("before anything was confirmed", async () => {
    const { pace, produce } = system();
    produce(1_000_000);
    expect(pace.enter()).toBeUndefined();
  });

  test("while the broker is away, and those that wait go on", async () => {
    const all = await saturated();
    const waiting = all.request();
    await settled();
    expect(all.at.waiting).toBe(1);
    all.pace.open();
    await waiting;
    all.produce(1_000_000);
    expect(all.pace.enter()).toBeUndefined();
  });

  test("half a second after the broker has stopped to confirm", async () => {
    const all = await saturated();
    const waiting = all.request();
    await advance(400);
    expect(all.at.waiting).toBe(1);
    await advance(200);
    await waiting;
    expect(all.pace.enter()).toBeUndefined();
  });

  test("once the service stops, and those that wait go on", async () => {
    const all = await saturated();
    const waiting = all.request();
    await settled();
    expect(all.at.waiting).toBe(1);
    all.pace.end();
    await waiting;
    all.confirm(10);
    expect(all.pace.enter()).toBeUndefined();
  });

  test("for longer than a second each, however slow the broker is", async () => {
    const all = await saturated();
    const waiting = Array.from({ length: 500 }, () => all.request());
    for (let turn = 0; turn < 11; turn += 1) {
      await advance(100);
      all.confirm(1);
    }
    await Promise.all(waiting);
  });

  /** A system whose backlog is as large as it may be. */
  async function saturated(): Promise<System> {
    const all = system();
    all.produce(2000);
    for (let turn = 0; turn < 20; turn += 1) {
      await advance(10);
      all.confirm(10);
    }
    all.produce(2000);
    expect(all.pace.backlog).toBe(3800);
    return all;
  }
});

test("a broker that is back finds as many requests as half of what it confirms, until the backlog is small again", async () => {
  const all = system();
  all.produce(50_000);
  await load(all, { perSecond: 4_000, seconds: 5 });
  const { produced, confirmed } = all.at;
  // 20,000 were confirmed; but for the first tenth of a second, which is not known yet, half as many came.
  expect(produced - 50_000).toBeGreaterThan(8_000);
  expect(produced - confirmed).toBeLessThan(43_000);
});

test("a log that was put back to an earlier position does not make anybody wait forever", async () => {
  const { pace, produce, confirm, at } = system();
  produce(1000);
  confirm(900);
  at.produced = at.confirmed = 10;
  pace.confirmedTo(10);
  pace.producedTo(20);
  expect(pace.enter()).toBeUndefined();
});

test("changes of requests wait, their reads do not; one that fails lets the next one go", async () => {
  const pace = new Pace();
  const calls: string[] = [];
  const store = {
    insert: async () => {
      calls.push("insert");
      throw new Error("refused");
    },
    get: async () => void calls.push("get"),
  };
  const { insert, get } = storesFor(store as unknown as Store, pace)(new Request("http://localhost/items"));
  const turns: PromiseWithResolvers<void>[] = [];
  const left = jest.spyOn(pace, "leave");
  jest.spyOn(pace, "enter").mockImplementation(() => {
    const turn = Promise.withResolvers<void>();
    turns.push(turn);
    return turn.promise;
  });
  const inserted = insert(item, item.example);
  await get(item, 1);
  expect([calls, left.mock.calls.length]).toEqual([["get"], 0]);
  turns[0]?.resolve();
  await expect(inserted).rejects.toThrow("refused");
  expect([calls, left.mock.calls.length]).toEqual([["get", "insert"], 1]);
});
