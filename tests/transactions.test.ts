// store.transaction(): several records in one commit, as if transactions and changes ran one after the other.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { Conflict } from "warren/action";
import { defineResource, mistake, oneOf, type RecordOf } from "warren/resource";
import { ForgottenAwait, KeyReused, RecordNotFound, TransactionGaveUp } from "../src/store/errors";
import type { Transaction } from "../src/store/transaction/transaction";
import { forEachEngineInFull } from "./support/engines";
import { loggedEvents } from "./support/logged-events";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

const account = defineResource({
  name: "account",
  fields: { owner: Type.String() },
  managed: { balance: { schema: Type.Integer(), initial: 0 } },
  derived: { initials: { schema: Type.String(), from: ({ owner }) => owner.slice(0, 1) } },
  events: { opened: {}, moved: { amount: Type.Integer() } },
  check: ({ balance }) => (balance < 0 ? [mistake("/balance", "Must not be negative.")] : []),
  example: { owner: "Ada" },
});
const transfer = defineResource({
  name: "transfer",
  fields: { from: Type.Integer(), to: Type.Integer(), amount: Type.Integer() },
  managed: { state: { schema: oneOf("made", "undone"), initial: "made" } },
  example: { from: 1, to: 2, amount: 1 },
});

forEachEngineInFull((placesIn, { times }) => {
  const { reopen, store } = useStore(placesIn, [account, transfer]);
  beforeEach(async () => {
    for (const owner of ["Ada", "Bob"]) await store.insert(account, { owner, balance: 100 });
  });

  const events = () => loggedEvents(store);
  const newTypes = async () => (await events()).slice(2).map(({ type }) => type);
  const balance = async (id: number) => (JSON.parse((await store.get(account, id))?.json ?? "{}") as RecordOf<typeof account>).balance;
  const balances = async () => [await balance(1), await balance(2)];
  const set = (id: number, balance: number) => store.update(account, id, (current) => ({ ...current, balance }));

  /** Moves money, and notes it. */
  const move = (from: number, to: number, amount: number) => async (tx: Transaction) => {
    const { balance } = await tx.read(account, from);
    if (balance < amount) throw new Conflict(`The balance is ${balance}.`);
    await tx.update(account, from, { balance: balance - amount });
    await tx.update(account, to, ({ balance }) => ({ balance: balance + amount }));
    return tx.insert(transfer, { from, to, amount });
  };

  describe("a transaction", () => {
    test("commits all its changes, each with its event, in order; and resolves with what its function returns", async () => {
      const made = await store.transaction(move(1, 2, 30));
      expect(made).toMatchObject({ id: 1, from: 1, to: 2, amount: 30, state: "made", version: 1 });
      expect(await balances()).toEqual([70, 130]);
      expect(await newTypes()).toEqual(["account.updated", "account.updated", "transfer.created"]);
      expect((await events())[2]).toMatchObject({ account: { id: 1, balance: 70, version: 2, initials: "A" } });
    });

    test("gives records that are, to the byte, what was stored: with the version and times of the commit", async () => {
      const records = await store.transaction(async (tx) => {
        const made = await tx.insert(transfer, { from: 1, to: 2, amount: 1 });
        const changed = await tx.update(account, 1, { owner: "Eve" });
        return [made, changed, await tx.read(account, 1), await tx.get(account, 2)];
      });
      const stored = await Promise.all([store.get(transfer, 1), store.get(account, 1), store.get(account, 1), store.get(account, 2)]);
      expect(records.map((record) => JSON.stringify(record))).toEqual(stored.map((one) => one?.json ?? ""));
    });

    test("sees its own changes", async () => {
      const seen = await store.transaction(async (tx) => {
        const { id } = await tx.insert(account, { owner: "Eve" });
        const created = await tx.get(account, id);
        await tx.update(account, id, { balance: 1 });
        await tx.update(account, id, ({ balance }) => ({ balance: balance + 1 }));
        const updated = await tx.read(account, id);
        await tx.remove(account, id);
        return [id, created?.balance, updated.balance, updated.version, await tx.get(account, id)];
      });
      expect(seen).toEqual([3, 0, 2, 3, undefined]);
      expect(await newTypes()).toEqual(["account.created", "account.updated", "account.updated", "account.deleted"]);
    });

    test("runs its calls in order, also those that are awaited together", async () => {
      await store.transaction(async (tx) => {
        const more = ({ balance }: { balance: number }) => ({ balance: balance + 1 });
        await Promise.all([tx.update(account, 1, more), tx.update(account, 1, more), tx.update(account, 1, more)]);
      });
      expect(await balance(1)).toBe(103);
    });

    test("is seen by nobody halfway", async () => {
      const seen = new Set<number>();
      let isOver = false;
      const watch = async () => {
        while (!isOver) {
          const { rows } = await store.list(account, { limit: 2 });
          seen.add(rows.reduce((sum, { json }) => sum + (JSON.parse(json) as RecordOf<typeof account>).balance, 0));
          await new Promise(setImmediate);
        }
      };
      const watching = watch();
      for (let n = 0; n < 20; n += 1) await store.transaction(move(1 + (n % 2), 2 - (n % 2), 7));
      isOver = true;
      await watching;
      expect([...seen]).toEqual([200]);
    });

    test("takes custom events, a guard, and the context of a request", async () => {
      await store.transaction(
        async (tx) => {
          await tx.insert(account, { owner: "Eve" }, { emit: { opened: {} } });
          await tx.update(account, 1, {}, { emit: { moved: { amount: 0 } } });
          await tx.remove(account, 2, { emit: { moved: { amount: 100 } } });
        },
        { requestId: "r1", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", requestedAt: 5 },
      );
      expect(await newTypes()).toEqual(["account.created", "account.opened", "account.moved", "account.deleted", "account.moved"]);
      const last = (await events()).at(-1);
      expect(await store.find(String(last?.["id"]))).toMatchObject({ requestId: "r1", requestedAt: 5, traceparent: expect.any(String) });
      const guard = () => {
        throw new Error("not this one");
      };
      for (const call of [(tx: Transaction) => tx.update(account, 1, {}, { guard }), (tx: Transaction) => tx.remove(account, 1, { guard })])
        expect((await rejection(store.transaction(call))).message).toBe("not this one");
    });

    test("that only reads, or does nothing, adds no event", async () => {
      expect(await store.transaction(async (tx) => (await tx.read(account, 1)).balance)).toBe(100);
      expect(await store.transaction(() => 7)).toBe(7);
      expect((await store.transaction(async (tx) => tx.update(account, 1, {}))).version).toBe(1);
      expect(await newTypes()).toEqual([]);
    });

    test("uses an id once, also if it fails; other records get the next ones", async () => {
      await rejection(store.transaction(async (tx) => [await tx.insert(transfer, transfer.example), await tx.read(account, 9)]));
      const [first, second] = await Promise.all([
        store.transaction((tx) => tx.insert(transfer, transfer.example)),
        store.insert(transfer, transfer.example),
      ]);
      expect([first.id, second.id].sort()).toEqual([2, 3]);
      expect((await store.insert(transfer, transfer.example)).id).toBe(4);
    });
  });

  describe("fails as a whole", () => {
    const failing: [string, (tx: Transaction) => Promise<unknown>, string][] = [
      ["if its function throws", async () => Promise.reject(new Error("no")), "no"],
      ["if a record does not exist", (tx) => tx.read(account, 9), "There is no account 9."],
      ["if a record to change does not exist", (tx) => tx.update(transfer, 9, {}), "There is no transfer 9."],
      ["if a record to delete does not exist", (tx) => tx.remove(transfer, 9), "There is no transfer 9."],
      [
        "if a record breaks its rule",
        (tx) => tx.update(account, 2, { balance: -1 }),
        "The account is not valid. /balance: Must not be negative.",
      ],
      [
        "if fields are not valid",
        (tx) => tx.insert(transfer, { from: 1.5, to: 2, amount: 1 }),
        "The transfer would not be valid. /from: Expected integer",
      ],
      [
        "if a patch is a promise",
        (tx) => tx.update(account, 1, (async () => ({})) as never),
        "A change of the account 1 returned a promise; it must not be async.",
      ],
      [
        "if a patch sets a derived field",
        (tx) => tx.update(account, 1, { initials: "Z" }),
        'A change of the account 1 sets "initials", which is not a field that code can set.',
      ],
      [
        "if the data of an event is not valid",
        (tx) => tx.update(account, 1, {}, { emit: { moved: { amount: 0.5 } } }),
        "The data of the event account.moved is not valid. /amount: Expected integer",
      ],
    ];
    test.each(failing)("%s", async (_, last, message) => {
      const promise = store.transaction(async (tx) => {
        await tx.update(account, 1, { balance: 0 });
        await tx.insert(account, { owner: "Eve" });
        await last(tx);
      });
      expect((await rejection(promise)).message).toBe(message);
      expect([await balances(), await newTypes(), await store.get(account, 3)]).toEqual([[100, 100], [], undefined]);
    });

    test("but not for an error that its function catches", async () => {
      await store.transaction(async (tx) => {
        await tx.update(account, 1, { balance: -1 }).catch(() => {});
        if (!(await tx.get(account, 9))) await tx.update(account, 1, { balance: 1 });
      });
      expect(await balances()).toEqual([1, 100]);
    });

    test("with an error that says which record is missing", async () => {
      expect(await rejection(store.transaction((tx) => tx.read(account, 9)))).toBeInstanceOf(RecordNotFound);
    });
  });

  describe("runs again", () => {
    const stale: [string, (tx: Transaction) => Promise<unknown>, () => Promise<unknown>][] = [
      ["when a record that it read has changed", (tx) => tx.read(account, 1), () => set(1, 50)],
      ["when a record that it changes has changed", (tx) => tx.update(account, 1, { owner: "Eve" }), () => set(1, 50)],
      ["when a record that it read is gone", (tx) => tx.get(account, 1), () => store.remove(account, 1)],
      ["when a record that was not there is", (tx) => tx.get(account, 3), () => store.insert(account, { owner: "Eve" })],
    ];
    test.each(stale)("%s", async (_, call, meanwhile) => {
      let tries = 0;
      await store.transaction(async (tx) => {
        tries += 1;
        await call(tx);
        if (tries === 1) await new Promise((resolve) => setImmediate(() => void outside(meanwhile).then(resolve)));
      });
      expect(tries).toBe(2);
    });

    test("before its error is believed: what it saw may be out of date", async () => {
      let tries = 0;
      const moved = await store.transaction(async (tx) => {
        tries += 1;
        const { balance } = await tx.read(account, 1);
        if (tries === 1) await outside(() => set(1, 500));
        if (balance < 300) throw new Conflict("too little");
        return tx.update(account, 1, { balance: balance - 300 });
      });
      expect([tries, moved.balance]).toEqual([2, 200]);
    });

    test("not when another record has changed, and not for what it has not read", async () => {
      let tries = 0;
      await store.transaction(async (tx) => {
        tries += 1;
        await tx.update(account, 1, { owner: "Eve" });
        await outside(() => set(2, 50));
      });
      expect(tries).toBe(1);
    });

    test("up to eight times, and then gives up with what to do", async () => {
      let tries = 0;
      const promise = store.transaction(async (tx) => {
        tries += 1;
        await tx.read(account, 1);
        await outside(() => set(1, tries));
        return tx.insert(transfer, transfer.example);
      });
      const error = await rejection(promise);
      expect(error).toBeInstanceOf(TransactionGaveUp);
      expect(error.message).toBe("Other changes changed what the transaction had read, 8 times in a row. Nothing was changed. Try again.");
      expect([tries, await store.get(transfer, 1)]).toEqual([8, undefined]);
    });
  });

  /** Makes a change that is not part of the transaction whose function calls it. */
  function outside<T>(change: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => elsewhere.push(() => change().then(resolve, reject)));
  }
  const elsewhere: (() => Promise<void>)[] = [];
  let watching: Timer;
  beforeEach(() => {
    watching = setInterval(() => elsewhere.splice(0).forEach((run) => void run()), 1);
  });
  afterEach(() => clearInterval(watching));

  describe("is bounded", () => {
    test("to 1,000 changes: one more is a conflict, with what to do", async () => {
      const inserting = (count: number) => async (tx: Transaction) => {
        for (let n = 0; n < count; n += 1) await tx.insert(transfer, transfer.example);
      };
      const error = await rejection(store.transaction(inserting(1001)));
      expect([error.constructor, error.message]).toEqual([
        Conflict,
        "A transaction may make at most 1000 changes. Nothing was changed. Split it into several.",
      ]);
      expect(await newTypes()).toEqual([]);
      await store.transaction(inserting(1000));
      expect((await newTypes()).length).toBe(1000);
    });

    test("to one transaction: another inside is refused, and so is a change that is not part of it", async () => {
      const inner = [
        () => store.transaction((tx) => tx.read(account, 1)),
        () => store.insert(account, { owner: "Eve" }),
        () => store.insertEach(account, [{ owner: "Eve" }], () => ""),
        () => set(1, 0),
        () => store.remove(account, 1),
      ];
      for (const call of inner) {
        const error = await rejection(store.transaction(async () => call()));
        expect(error.message).toMatch(/^(A transaction|A change of the store) inside of a transaction would not be part of it; /);
      }
      expect([await balances(), await newTypes()]).toEqual([[100, 100], []]);
      // Afterwards, both are fine.
      await store.transaction((tx) => tx.update(account, 1, { balance: 1 }));
      await set(1, 2);
    });
  });

  describe("a forgotten await", () => {
    const forgetful: [string, (tx: Transaction) => unknown, string][] = [
      ["of a change", async (tx) => void tx.update(account, 1, { balance: 0 }), "tx.update(account, 1)"],
      [
        "of one of several",
        async (tx) => Promise.all([void tx.insert(account, { owner: "Eve" }), tx.read(account, 1)]),
        "tx.insert(account)",
      ],
      ["of a read", async (tx) => void tx.get(account, 9), "tx.get(account, 9)"],
      ["of a change that fails", async (tx) => void tx.read(account, 9), "tx.read(account, 9)"],
      [
        "in a loop",
        async (tx) =>
          [1, 2].forEach(async (id) => {
            await tx.update(account, id, { balance: 0 });
            await tx.remove(account, id);
          }),
        "tx.update(account, 1)",
      ],
    ];
    test.each(forgetful)("%s is an error that names it, and nothing is changed", async (_, work, what) => {
      const error = await rejection(store.transaction(work));
      expect(error).toBeInstanceOf(ForgottenAwait);
      expect(error.message).toBe(`The transaction returned before ${what} was done. Nothing was changed. Put "await" before each call.`);
      expect([await balances(), await newTypes()]).toEqual([[100, 100], []]);
    });

    test("is not one if the call is returned, or awaited with others", async () => {
      await store.transaction((tx) => tx.update(account, 1, { balance: 1 }));
      await store.transaction(async (tx) => Promise.all([tx.update(account, 1, { balance: 2 }), tx.read(account, 2)]));
      await store.transaction(async (tx) =>
        Promise.allSettled([tx.read(account, 9).catch(() => {}), tx.read(account, 1).finally(() => {})]),
      );
      expect(await balances()).toEqual([2, 100]);
    });

    test("a call after the end is refused", async () => {
      const tx = await store.transaction(async (tx) => ({ tx }));
      expect((await rejection(tx.tx.update(account, 1, { balance: 0 }))).message).toBe(
        "The transaction has ended; make its changes before its function returns.",
      );
      expect(await balances()).toEqual([100, 100]);
    });
  });

  describe("with an idempotency key", () => {
    const once = { key: "k", fingerprint: "f", part: 0 };

    test("again: the first result, also after a restart, and its function does not run", async () => {
      const first = await store.transaction(move(1, 2, 100), { once });
      // It could not be made again.
      expect(await store.transaction(move(1, 2, 100), { once })).toEqual(first);
      await reopen();
      expect(await store.transaction(() => Promise.reject(new Error("ran")), { once })).toEqual(first as never);
      expect(await balances()).toEqual([0, 200]);
    });

    test("twenty at once: one transaction, and one result", async () => {
      const results = await Promise.all(Array.from({ length: 20 }, () => store.transaction(move(1, 2, 100), { once })));
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
      expect(await newTypes()).toEqual(["account.updated", "account.updated", "transfer.created"]);
    });

    test("a failure leaves the key free, and another fingerprint is refused", async () => {
      await rejection(store.transaction(move(1, 2, 101), { once }));
      await store.transaction(move(1, 2, 100), { once });
      expect(await rejection(store.transaction(move(2, 1, 1), { once: { ...once, fingerprint: "g" } }))).toBeInstanceOf(KeyReused);
      expect(await store.transaction(() => undefined, { once: { ...once, key: "k2" } })).toBeUndefined();
      expect(await store.transaction(() => 1 as never, { once: { ...once, key: "k2" } })).toBeUndefined();
    });
  });

  describe("64 at once", () => {
    test("on one hot record: every transfer is made, and the sums are exact", async () => {
      const rounds = times(10);
      let mostRuns = 0;
      const counted = (work: ReturnType<typeof move>) => {
        let runs = 0;
        return (tx: Transaction) => {
          runs += 1;
          mostRuns = Math.max(mostRuns, runs);
          return work(tx);
        };
      };
      for (let round = 0; round < rounds; round += 1) {
        const results = await Promise.allSettled(
          Array.from({ length: 64 }, async (_, n) => store.transaction(counted(n % 2 ? move(1, 2, 1) : move(2, 1, 1)))),
        );
        expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
      }
      // It gives up after the eighth, and must not come near that.
      expect(mostRuns).toBeLessThanOrEqual(6);
      expect(await balances()).toEqual([100, 100]);
      expect((await newTypes()).length).toBe(3 * 64 * rounds);
    });

    test("beside plain changes of the same record: none is lost", async () => {
      const add = ({ balance }: { balance: number }) => ({ balance: balance + 1 });
      const plain = async () => {
        for (let n = 0; n < times(20); n += 1) await store.update(account, 1, (current) => ({ ...current, ...add(current) }));
      };
      const together = async () => {
        for (let n = 0; n < times(10); n += 1) await store.transaction((tx) => tx.update(account, 1, add));
      };
      await Promise.all([...Array.from({ length: 32 }, plain), ...Array.from({ length: 32 }, together)]);
      expect(await balance(1)).toBe(100 + 32 * times(20) + 32 * times(10));
    });
  });

  test("property: any transfers between accounts, many at once, keep the sum and never overdraw", async () => {
    for (let n = 0; n < 4; n += 1) await store.insert(account, { owner: "Eve", balance: 100 });
    const id = fc.integer({ min: 1, max: 6 });
    const transfers = fc.array(fc.record({ from: id, to: id, amount: fc.integer({ min: 0, max: 80 }), undo: fc.boolean() }), {
      minLength: 64,
      maxLength: 64,
    });
    await fc.assert(
      fc.asyncProperty(transfers, async (all) => {
        const results = await Promise.allSettled(
          all.map(({ from, to, amount, undo }) =>
            store.transaction(async (tx) => {
              const made = await move(from, to, amount)(tx);
              if (undo) throw new Error("undone");
              return made;
            }),
          ),
        );
        const refused = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).constructor] : []));
        expect(refused.filter((type) => type !== Conflict && type !== Error)).toEqual([]);
        const { rows } = await store.list(account, { limit: 200 });
        const now = rows.map(({ json }) => (JSON.parse(json) as RecordOf<typeof account>).balance);
        expect([now.reduce((sum, each) => sum + each, 0), now.every((each) => each >= 0)]).toEqual([600, true]);
      }),
      { numRuns: times(10) },
    );
    // The log tells the same story.
    const last = new Map((await events()).flatMap(({ account: one }) => (one ? [[(one as { id: number }).id, one]] : [])));
    for (const [id, record] of last) expect(JSON.stringify(record)).toBe((await store.get(account, id))?.json ?? "");
  });
});
