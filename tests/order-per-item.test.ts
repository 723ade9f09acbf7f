// Several events at once, but those of one item one after another and in order.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Reject } from "warren/consumer";
import { buildEvent, buildEventOf, testConsumer } from "warren/testing";
import { catalogue, order } from "./support/resources";

/** Records what is handled when, and finds where two events of one item were handled at once or out of order. */
function watched() {
  const busy = new Set<string>();
  const done = new Map<string, number[]>();
  const mistakes: string[] = [];
  let running = 0;
  let most = 0;
  return {
    mistakes,
    done,
    get most() {
      return most;
    },
    async watch(key: string, version: number, work: () => Promise<void>): Promise<void> {
      const versions = done.get(key) ?? [];
      if (busy.has(key)) mistakes.push(`${key} version ${version} beside another`);
      if ((versions.at(-1) ?? 0) >= version) mistakes.push(`${key} version ${version} after ${versions.at(-1)}`);
      done.set(key, [...versions, version]);
      busy.add(key);
      running += 1;
      most = Math.max(most, running);
      try {
        await work();
      } finally {
        running -= 1;
        busy.delete(key);
      }
    },
  };
}

/** Number of turns of the event loop that each handler takes, from 0. */
const delays = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 20 });
const arrivals = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 120 });

describe("with concurrency", () => {
  test("never two events of one item at once, and never out of order, however long each takes", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, delays, fc.integer({ min: 1, max: 16 }), fc.boolean(), async (items, delays, concurrency, failing) => {
        const seen = watched();
        let call = 0;
        await using consumer = testConsumer<"item.*">({
          queue: "ordered",
          concurrency,
          handle: ({ item }) => {
            const turns = delays[call++ % delays.length] as number;
            if (turns === 0 && !failing) return seen.watch(`item ${item.id}`, item.version, async () => {});
            return seen.watch(`item ${item.id}`, item.version, async () => {
              for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
              // What a failure does to the order is the retry's affair; what comes behind it is not held up.
              if (failing && turns % 2 === 1) throw new Reject("odd");
            });
          },
        });
        const versions = new Map<number, number>();
        const outcomes = items.map((id) => {
          const version = (versions.get(id) ?? 0) + 1;
          versions.set(id, version);
          return consumer.deliver(buildEvent("item.updated", { id, version }));
        });
        await Promise.all(outcomes);
        expect(seen.mistakes).toEqual([]);
        expect(seen.most).toBeLessThanOrEqual(concurrency);
        for (const [id, last] of versions)
          expect(seen.done.get(`item ${id}`)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
      }),
      { numRuns: 150 },
    );
  });

  test("items are handled beside each other, up to the concurrency, and no further", async () => {
    const seen = watched();
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    await using consumer = testConsumer<"item.*">({
      queue: "ordered",
      concurrency: 4,
      handle: ({ item }) => seen.watch(`item ${item.id}`, item.version, () => (gates[item.id - 1] as PromiseWithResolvers<void>).promise),
    });
    const outcomes = gates.map((_, index) => consumer.deliver(buildEvent("item.updated", { id: index + 1 })));
    expect([...seen.done.keys()]).toEqual(["item 1", "item 2", "item 3", "item 4"]);
    gates[2]?.resolve();
    await outcomes[2];
    expect([...seen.done.keys()]).toEqual(["item 1", "item 2", "item 3", "item 4", "item 5"]);
    for (const gate of gates) gate.resolve();
    await Promise.all(outcomes);
    expect(seen.most).toBe(4);
  });

  test("an item that is busy holds up no other, though its next event is first in line", async () => {
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    await using consumer = testConsumer<"item.*">({
      queue: "ordered",
      concurrency: 2,
      handle: async ({ item }) => {
        order.push(`${item.id}.${item.version}`);
        if (item.id === 1 && item.version === 1) await gate.promise;
      },
    });
    const outcomes = [
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [3, 1],
    ].map(([id, version]) => consumer.deliver(buildEvent("item.updated", { id: id as number, version: version as number })));
    await Promise.all([outcomes[3], outcomes[4]]);
    expect(order).toEqual(["1.1", "2.1", "3.1"]);
    gate.resolve();
    await Promise.all(outcomes);
    expect(order).toEqual(["1.1", "2.1", "3.1", "1.2", "1.3"]);
  });

  test("the same id of two resources is two records", async () => {
    const gate = Promise.withResolvers<void>();
    const types: string[] = [];
    await using consumer = testConsumer(
      {
        queue: "ordered",
        concurrency: 2,
        handle: async ({ type }) => {
          types.push(type);
          if (type.startsWith("item")) await gate.promise;
        },
      },
      { catalogue },
    );
    const item = consumer.deliver(buildEvent("item.created", { id: 1 }));
    await consumer.deliver(buildEventOf(order, "created", { id: 1 }));
    expect(types).toEqual(["item.created", "order.created"]);
    gate.resolve();
    await item;
  });
});

test("without concurrency, one event after another, in the order in which they came", async () => {
  const seen = watched();
  await using consumer = testConsumer<"item.*">({
    queue: "ordered",
    handle: ({ item }) =>
      seen.watch("all", item.id, async () => {
        for (let turn = item.id % 3; turn > 0; turn -= 1) await new Promise(setImmediate);
      }),
  });
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  await Promise.all(ids.map((id) => consumer.deliver(buildEvent("item.created", { id }))));
  expect(seen.mistakes).toEqual([]);
  expect(seen.done.get("all")).toEqual(ids);
});
