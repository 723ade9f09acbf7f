// The time limit and the locks of transactions, on an engine that a test controls.
import { describe, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { TransactionGaveUp } from "../src/store/errors";
import type { Stored } from "../src/store/stored";
import type { Plan, TransactionEngine } from "../src/store/transaction/engine";
import { KeyLocks } from "../src/store/transaction/key-locks";
import { Transactions } from "../src/store/transaction/run";

const stored: Stored = { id: 1, version: 1, json: '{"id":1,"version":1}' };

/** @param stale number of plans that are refused before one is committed. */
function engineWith(stale = 0) {
  const plans: Plan[] = [];
  const engine: TransactionEngine = {
    newest: async () => stored,
    newestByKey: async () => undefined,
    newestList: async () => [],
    reserveId: async () => 1,
    check: async () => {},
    chain: async () => [],
    async commit(plan) {
      plans.push(plan);
      if (plans.length <= stale) return { isStale: true };
      return { isStale: false, text: plan.answerOf([]) };
    },
  };
  return { engine, plans };
}

describe("the time limit", () => {
  const gaveUp = "The transaction took more than 0.02 s. Nothing was changed. Try again.";

  test("ends a function that does not, without a commit; its later calls are refused", async () => {
    const { engine, plans } = engineWith();
    const goOn = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    const running = new Transactions(engine, 20).run(async (tx) => {
      await goOn.promise;
      await tx.get(item, 1).then(late.resolve, late.resolve);
    });
    await expect(running).rejects.toThrow(new TransactionGaveUp("The transaction took more than 0.02 s."));
    goOn.resolve();
    expect([((await late.promise) as Error).message, plans.length]).toEqual([gaveUp, 0]);
  });

  test("ends the wait for another transaction's locks, and gives back those that come later", async () => {
    const { engine, plans } = engineWith(1);
    const [committing, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: TransactionEngine = {
      ...engine,
      async commit(plan) {
        if (plans.length === 1) {
          committing.resolve();
          await goOn.promise;
        }
        return engine.commit(plan);
      },
    };
    const transactions = new Transactions(slow, 20);
    // Its second try holds the lock until it is committed, which is not limited.
    const holding = transactions.run((tx) => tx.get(item, 1));
    await committing.promise;
    await expect(transactions.run((tx) => tx.get(item, 1))).rejects.toThrow(gaveUp);
    goOn.resolve();
    expect(await holding).toMatchObject({ id: 1 });
    expect(await transactions.run((tx) => tx.get(item, 1))).toMatchObject({ id: 1 });
  });
});

describe("locks", () => {
  test("are held by one at a time, in the order of asking, whatever the order of keys", async () => {
    const locks = new KeyLocks();
    const order: string[] = [];
    const hold = async (name: string, keys: string[]) => {
      const release = await locks.acquire(keys);
      order.push(`${name} in`);
      await new Promise(setImmediate);
      order.push(`${name} out`);
      release();
      release();
    };
    await Promise.all([hold("a", ["x", "y"]), hold("b", ["y", "x"]), hold("c", ["z", "x", "x"]), hold("d", ["w"])]);
    expect(order.filter((step) => !step.startsWith("d"))).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
    expect(order.indexOf("d in")).toBeLessThan(order.indexOf("b in"));
    expect(locks.areHeld(["w", "x", "y", "z"])).toBe(false);
  });
});
