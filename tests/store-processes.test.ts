// Facts about each other that processes share through the store: the log of a running API, who consumes a queue, who leads a task.
import { describe, expect, test } from "bun:test";
import { consumerStores, isServed, openLog } from "../src/store/open";
import { forEachEngine } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { asRelay } from "./support/leader";
import { eventually } from "./support/processes";
import { catalogue, order } from "./support/resources";
import { useStore } from "./support/use-store";

forEachEngine((placesIn) => {
  const { open, places, store } = useStore(placesIn, catalogue.resources);

  describe("the log that an API writes", () => {
    test("is not there before the API has been", async () => {
      const other = temporaryFolder();
      expect([await openLog(placesIn(other.path)), await isServed(placesIn(other.path))]).toEqual([undefined, false]);
      other.remove();
    });

    test("is served until the API ends", async () => {
      await eventually(async () => (await isServed(places())) || undefined, "the API to be seen");
      await store.close();
      expect(await isServed(places())).toBe(false);
      await open();
    });

    test("has for another process what the API has, and a notifier knows of each commit", async () => {
      const log = await openLog(places());
      if (!log) throw new Error("The log is not there.");
      const commits = log.notifier(() => {});
      commits.changed();
      expect([log.logId, commits.changed()]).toEqual([store.logId, false]);
      const { json } = await store.insert(order, order.example);
      await eventually(() => commits.changed() || undefined, "the commit");
      expect(commits.changed()).toBe(false);
      expect([await log.end(), await log.read(0, 10)]).toEqual([1, await store.log.read(0, 10)]);
      const [entry] = await log.read(0, 1);
      expect(entry?.body).toContain(json);
      expect(await log.find(entry?.id ?? "")).toEqual(await store.find(entry?.id ?? ""));
      await store.schedules.announce({ queue: "sales", pattern: "@daily", timeZone: "UTC", missed: "once", overlap: false });
      expect(await log.schedules()).toEqual(await store.schedules.list());
      log.close();
    });

    test("has what the relay has confirmed, and why it waits", async () => {
      const log = await openLog(places());
      await store.insert(order, order.example);
      expect([await log?.relayed(), await log?.relayTrouble()]).toEqual([0, null]);
      const trouble = { queue: "order_events", what: "It is full.", since: new Date(0).toISOString() };
      await asRelay(store, async (leadership) => {
        await store.relayed.save(1, leadership);
        await store.relayTrouble.save(trouble, leadership);
      });
      expect([await log?.relayed(), await log?.relayTrouble(), await store.relayTrouble.get()]).toEqual([1, trouble, trouble]);
      log?.close();
    });
  });

  describe("the store of a consumer", () => {
    test("is there from its opening to its removal, which waits for the process that consumes the queue", async () => {
      const consumers = consumerStores(places());
      expect([await consumers.queues(), await consumers.has("stock"), await consumers.tables("stock")]).toEqual([[], false, undefined]);
      const own = await consumers.open("stock", { durable: true });
      await own.together(({ transaction }) => transaction.run("CREATE TABLE levels (id INTEGER PRIMARY KEY)"));
      await own.close();
      expect([await consumers.queues(), await consumers.has("stock"), await consumers.ownTables("stock")]).toEqual([
        ["stock"],
        true,
        ["levels"],
      ]);

      const share = await consumers.join("stock", () => {});
      expect([share.lanes.length, await consumers.consuming("stock")]).toEqual([share.count, 1]);
      expect([await consumers.remove("stock"), await consumers.has("stock")]).toEqual([false, true]);
      await share.leave();
      expect([await consumers.consuming("stock"), await consumers.remove("stock"), await consumers.queues()]).toEqual([0, true, []]);
    });

    test("gives a part of the queue to a second process only when the first has released it", async () => {
      const consumers = consumerStores(places());
      const first = await consumers.join("stock", () => {});
      const { lanes } = first;
      const got = Promise.withResolvers<void>();
      const second = await consumers.join("stock", () => second.lanes.length > 0 && got.resolve());
      expect([second.lanes, lanes.every((lane) => first.holds(lane))]).toEqual([[], true]);
      await first.leave();
      await got.promise;
      expect(lanes.some((lane) => first.holds(lane))).toBe(false);
      expect(second.lanes.every((lane) => second.holds(lane))).toBe(true);
      await second.leave();
      await consumers.remove("stock");
    });

    test("says how far each is: the slowest, and what it has of an event", async () => {
      const consumers = consumerStores(places());
      expect(await consumers.slowest(store.logId)).toBeNull();
      for (const [queue, position] of [
        ["fast", 7],
        ["slow", 3],
      ] as const) {
        const own = await consumers.open(queue, { durable: false });
        await own.begin(store.logId, position, []);
        await own.attempts.add("event", { attempt: 1, at: 5, outcome: "handled", reason: null, error: null, dueAt: null });
        await own.close();
      }
      expect(await consumers.slowest(store.logId)).toBe(3);
      expect(await consumers.state("fast", store.logId)).toEqual({ position: 7, waiting: 0, dead: 0, processes: 0 });
      const { progress, attempts } = await consumers.history("slow", store.logId, "event");
      expect([progress, attempts.length]).toEqual([{ position: 3, begun: 3 }, 1]);
    });
  });

  describe("a task that one process leads", () => {
    test("settles as its work does, which is asked to end", async () => {
      const stop = new AbortController();
      const ends: string[] = [];
      const led = store.lead("relay", stop.signal, ({ until, holds }) => {
        expect(holds()).toBe(true);
        return new Promise<void>((resolve) => {
          until.addEventListener("abort", () => {
            ends.push(`told, and leads: ${holds()}`);
            resolve();
          });
        });
      });
      await store.lead("relay", stop.signal, async () => {
        ends.push("another of this process");
      });
      stop.abort();
      await led;
      expect(ends).toEqual(["another of this process", "told, and leads: false"]);
      const failing = store.lead("retention", new AbortController().signal, () => Promise.reject(new Error("broken")));
      await expect(failing).rejects.toThrow("broken");
    });

    test("is not begun once it was asked to end", async () => {
      await store.lead("relay", AbortSignal.abort(), () => Promise.reject(new Error("must not run")));
    });
  });
});
