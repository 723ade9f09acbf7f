// Events that are to be published later become events of the log when they are due, in one process at a time.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { keepTimers } from "../src/engine/timers";
import { type ClockControl, controlClock } from "../src/timing/clock";
import { forEachEngine } from "./support/engines";
import { recordedLog } from "./support/recorded-log";
import { useStore } from "./support/use-store";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, events: { due: {}, late: {} }, example: { book: "Emma" } });
const day = 86_400_000;

forEachEngine((placesIn) => {
  let keeping: { stop(): Promise<void> } | undefined;
  let clock: ClockControl;
  afterEach(async () => {
    await keeping?.stop();
    clock.release();
  });
  const { store, reopen } = useStore(placesIn, [loan]);
  const { log, at } = recordedLog();
  beforeEach(() => {
    clock = controlClock();
    keeping = keepTimers(store, log);
  });
  const types = async () => (await store.log.read(0, 1000)).map(({ type }) => type);
  /** Waits until the log has so many events. */
  const events = async (count: number) => {
    while ((await store.log.end()) < count) await Bun.sleep(5);
    return types();
  };

  test("after days, also if a later one was set first, and after a restart", async () => {
    const { id } = await store.insert(loan, { book: "Emma" }, { later: [{ event: "late", after: "9d" }] });
    await store.update(loan, id, (now) => now, { later: [{ event: "due", after: "30d" }] });
    await store.update(loan, id, (now) => now, { later: [{ event: "due", after: "3d" }] });
    clock.move(3 * day + 1);
    expect(await events(2)).toEqual(["loan.created", "loan.due"]);
    await keeping?.stop();
    // Nobody is there when it is due.
    clock.move(6 * day + 1);
    await reopen();
    expect(await types()).toHaveLength(2);
    keeping = keepTimers(store, log);
    expect(await events(3)).toEqual(["loan.created", "loan.due", "loan.late"]);
    expect(await store.timers.list({ limit: 9 })).toHaveLength(1);
  });

  test("many that are due at once, each once, in order of time, whoever leads", async () => {
    const tomorrow = Date.now() + day;
    await store.transaction(async (tx) => {
      for (let n = 0; n < 300; n += 1)
        await tx.insert(loan, { book: `${n}` }, { later: [{ event: "due", at: new Date(tomorrow + ((n * 7) % 300)) }] });
    });
    const other = keepTimers(store, log);
    clock.move(2 * day);
    await events(600);
    await other.stop();
    const due = (await store.log.read(0, 1000)).filter(({ type }) => type === "loan.due").map(({ subject }) => subject);
    expect(due).toEqual(
      Array.from({ length: 300 }, (_, n) => n)
        .sort((a, b) => ((a * 7) % 300) - ((b * 7) % 300))
        .map((n) => n + 1),
    );
  });

  test("one that cannot be published is told, and holds up no other", async () => {
    await keeping?.stop();
    await store.insert(loan, { book: "Emma" }, { later: [{ event: "late", after: 1 }] });
    await store.insert(loan, { book: "Emma" }, { later: [{ event: "due", after: 2 }] });
    const changed = defineResource({ name: "loan", fields: { book: Type.String() }, events: { due: {} }, example: { book: "Emma" } });
    await reopen([changed]);
    keeping = keepTimers(store, log);
    expect(await events(3)).toEqual(["loan.created", "loan.created", "loan.due"]);
    await keeping.stop();
    expect(at("error").at(-1)).toStartWith("Events that were to be published later cannot be");
    // The next program declares it again.
    await reopen();
    keeping = keepTimers(store, log);
    expect(await events(4)).toEqual(["loan.created", "loan.created", "loan.due", "loan.late"]);
    expect(await store.timers.list({ limit: 9 })).toEqual([]);
  });
});
