// Events that are pruned, and events that are not, however old they are.

import { afterEach, beforeEach, describe, expect, jest, setSystemTime, test } from "bun:test";
import { item } from "../src/domain/item";
import { keepRetention, pruneOnce, type RetentionOptions } from "../src/engine/retention";
import type { ConsumerStores } from "../src/store/consumer/stores";
import { soleLeadership } from "../src/store/leadership";
import { consumerStores } from "../src/store/open";
import type { Store } from "../src/store/store";
import { forEachEngine } from "./support/engines";
import { relayTo } from "./support/leader";
import { recordedLog } from "./support/recorded-log";
import { settled } from "./support/settled";
import { useStore } from "./support/use-store";

const later = new Date("2999-01-01T00:00:00.000Z");

forEachEngine((placesIn) => {
  let consumers: ConsumerStores;
  let options: RetentionOptions;
  let recorded: ReturnType<typeof recordedLog>;
  afterEach(() => {
    jest.useRealTimers();
  });
  const { places, store } = useStore(placesIn, [item]);
  beforeEach(async () => {
    consumers = consumerStores(places());
    recorded = recordedLog();
    options = {
      config: { eventRetentionMs: null },
      store,
      isRelayed: false,
      consumers,
      log: recorded.log,
    };
    await Promise.all(Array.from({ length: 5 }, () => store.insert(item, item.example)));
  });

  const left = async () => (await store.log.read(0, 10_000)).map((entry) => entry.position);

  async function consumerAt(name: string, position: number | undefined, logId = store.logId): Promise<void> {
    const own = await consumers.open(name, { durable: false });
    if (position !== undefined) await own.begin(logId, position, []);
    await own.close();
  }

  describe("pruneOnce", () => {
    test("removes what is older than the time, and says how many", async () => {
      expect(await pruneOnce(options, later)).toBe(5);
      expect(await left()).toEqual([]);
      expect(recorded.lines).toMatchObject([{ level: "info", pruned: 5, msg: "Pruned old events" }]);
    });

    test("removes the deletions that a record could be restored from", async () => {
      await store.remove(item, 1);
      await store.remove(item, 2);
      expect(await store.prune("2999-01-01", 6)).toBe(6);
      expect(await store.restore(item, 1)).toBeUndefined();
      expect(await store.restore(item, 2)).toMatchObject({ id: 2, version: 2 });
    });

    test("removes nothing that is younger", async () => {
      expect(await pruneOnce(options, new Date(0))).toBe(0);
      expect(await left()).toEqual([1, 2, 3, 4, 5]);
      expect(recorded.lines).toEqual([]);
    });

    test("removes only the beginning of the log even if the clock was set back, and leaves no gap", async () => {
      const start = Date.now() + 60_000;
      for (const minute of [0, 60, 1]) {
        setSystemTime(start + minute * 60_000);
        await store.insert(item, item.example);
      }
      setSystemTime();
      expect(await pruneOnce(options, new Date(start + 5 * 60_000))).toBe(6);
      expect(await left()).toEqual([7, 8]);
      expect(await store.log.pruned()).toBe(6);
    });

    test("keeps what RabbitMQ has not confirmed", async () => {
      await relayTo(store, 3);
      expect(await pruneOnce({ ...options, isRelayed: true }, later)).toBe(3);
      expect(await left()).toEqual([4, 5]);
    });

    test("keeps what the slowest embedded consumer of this log has not settled", async () => {
      await consumerAt("fast", 5);
      await consumerAt("slow", 2);
      expect(await pruneOnce(options, later)).toBe(2);
      expect(await left()).toEqual([3, 4, 5]);
    });

    test("keeps everything for a consumer that was on another log", async () => {
      await consumerAt("moved", 5, "another-log");
      expect(await pruneOnce(options, later)).toBe(0);
      expect(await left()).toHaveLength(5);
    });

    test("does not wait for a consumer that gets its events from RabbitMQ", async () => {
      await consumerAt("on-rabbitmq", undefined);
      expect(await pruneOnce(options, later)).toBe(5);
    });

    test("keeps what a replay has still to send, to RabbitMQ or in a consumer's file", async () => {
      await relayTo(store, 5);
      await store.replays.add({ id: "to-rabbitmq", queue: "late", fill: 1, selection: "{}", first: 4, last: 5, createdAt: "" });
      options = { ...options, isRelayed: true };
      await consumerAt("replaying", 5);
      const own = await consumers.open("replaying", { durable: false });
      await own.replays.add({
        id: "r",
        logId: store.logId,
        queue: "replaying",
        fill: 0,
        selection: "{}",
        first: 2,
        last: 5,
        createdAt: "",
      });
      expect(await pruneOnce(options, later)).toBe(2);
      await own.replays.end("r", "now", "cancelled");
      await own.close();
      expect(await pruneOnce(options, later)).toBe(2);
      expect(await left()).toEqual([5]);
    });

    test("removes more than one statement's worth", async () => {
      await Promise.all(Array.from({ length: 2100 }, () => store.insert(item, item.example)));
      expect(await pruneOnce(options, later)).toBe(2105);
    });

    test("a position is never used again, and the end stays where it was", async () => {
      await pruneOnce(options, later);
      expect(await store.log.end()).toBe(5);
      await store.insert(item, item.example);
      expect(await left()).toEqual([6]);
    });
  });
});

describe("keepRetention", () => {
  let recorded: ReturnType<typeof recordedLog>;
  beforeEach(() => {
    jest.useFakeTimers();
    recorded = recordedLog();
  });
  afterEach(() => void jest.useRealTimers());

  /** Keeps retention of a store that notes each prune, and fails when it is told to. */
  function keep(eventRetentionMs: number | null, trouble?: Error) {
    const prunes: string[] = [];
    const store: Pick<Store, "logId" | "lead" | "prune"> = {
      logId: "log",
      lead: async (_task, stop, work) => work(soleLeadership(stop)),
      async prune(before) {
        prunes.push(before);
        if (trouble) throw trouble;
        return 0;
      },
    };
    const consumers = { slowest: async () => null };
    const options = { config: { eventRetentionMs }, store: store as Store, isRelayed: false, consumers, log: recorded.log };
    return { prunes, retention: keepRetention(options) };
  }

  test("does nothing for `forever`", async () => {
    await keep(null).retention.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  test("prunes at once and then every minute, until it is stopped", async () => {
    const { prunes, retention } = keep(3_600_000);
    await settled();
    expect(prunes).toEqual([new Date(Date.now() - 3_600_000).toISOString()]);
    jest.advanceTimersByTime(59_999);
    expect(prunes).toHaveLength(1);
    jest.advanceTimersByTime(1);
    await settled();
    expect(prunes).toHaveLength(2);
    await retention.stop();
    jest.advanceTimersByTime(600_000);
    await settled();
    expect(prunes).toHaveLength(2);
  });

  test("a failure is a warning, and it is tried again", async () => {
    const { retention } = keep(1000, new Error("disk trouble"));
    await settled();
    jest.advanceTimersByTime(1000);
    await settled();
    await retention.stop();
    expect(recorded.lines.map(({ level, error }) => [level, error])).toEqual([
      ["warn", "disk trouble"],
      ["warn", "disk trouble"],
    ]);
  });
});
