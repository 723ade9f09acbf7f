// Processes that share a schema of PostgreSQL: who leads, and what an earlier leader can no longer save.
import { expect, test } from "bun:test";
import { hostname } from "node:os";
import type { Leadership } from "../src/store/leadership";
import type { Database } from "../src/store/postgres/connection/queries";
import { joinProcesses, type Processes, servingProcesses } from "../src/store/postgres/leases/processes";
import { relayPosition } from "../src/store/postgres/relay/relay-position";
import { savedRelayTrouble } from "../src/store/postgres/relay/relay-trouble";
import { replaysIn } from "../src/store/postgres/relay/replay-rows";
import { testInFull } from "./support/in-full";
import { describeWithPostgres } from "./support/postgres";
import { usePostgresTables } from "./support/postgres-schema";
import { eventually } from "./support/processes";
import { rejection } from "./support/rejection";

const ofEpoch = (epoch: number): Leadership => ({ until: new AbortController().signal, holds: () => true, epoch });

describeWithPostgres("a lease", () => {
  const { schema, open } = usePostgresTables();
  const join = (database = open()): Processes => joinProcesses({ database, address: schema().address, logId: "log" });

  /** Leads a task until the returned function is called, which resolves when the lease is released. */
  function lead(process: Processes, task = "relay") {
    const stop = new AbortController();
    const leading = Promise.withResolvers<Leadership>();
    const ended = process.lead(task, stop.signal, async (leadership) => {
      leading.resolve(leadership);
      await new Promise<void>((resolve) => leadership.until.addEventListener("abort", () => resolve()));
    });
    return {
      leading: leading.promise,
      stop: async () => {
        stop.abort();
        await ended;
      },
    };
  }

  test("is one process's until it stops, and then another's, with a greater epoch", async () => {
    const [first, second] = [join(), join()];
    const one = lead(first);
    const { epoch } = await one.leading;
    const other = lead(second);
    let hasBegun = false;
    void other.leading.then(() => {
      hasBegun = true;
    });
    // Another task is led meanwhile.
    const retention = lead(second, "retention");
    await retention.leading;
    expect([hasBegun, (await one.leading).holds()]).toEqual([false, true]);
    await one.stop();
    const next = await other.leading;
    expect([next.epoch, next.holds(), (await one.leading).holds()]).toEqual([epoch + 1, true, false]);
    await Promise.all([other.stop(), retention.stop()]);
    await Promise.all([first.close(), second.close()]);
  });

  testInFull("is renewed for as long as its process runs", async () => {
    const process = join();
    const led = lead(process);
    await led.leading;
    const expiry = async () =>
      (
        await schema().evaluate<{ at: number }>(
          "SELECT extract(epoch FROM expires_at)::float8 AS at FROM warren_leases WHERE name = 'relay'",
        )
      )[0]?.at ?? 0;
    const before = await expiry();
    await eventually(async () => (await expiry()) > before || undefined, "a renewal");
    expect((await led.leading).holds()).toBe(true);
    await led.stop();
    await process.close();
  });

  testInFull("is lost by a process that is cut off, and taken by another one", async () => {
    const database = open();
    const cut = cuttable(database);
    const [first, second] = [join(cut.database), join()];
    const one = lead(first);
    const { until, holds, epoch } = await one.leading;
    cut.set("cut");
    const other = lead(second);
    await eventually(() => until.aborted || undefined, "the first to lose the lease");
    expect(holds()).toBe(false);
    expect((await other.leading).epoch).toBe(epoch + 1);
    cut.set("whole");
    await Promise.all([one.stop(), other.stop()]);
    await Promise.all([first.close(), second.close()]);
  });

  test("is taken in turn by processes that all want it, and never by two", async () => {
    const processes = Array.from({ length: 4 }, () => join());
    let leaders = 0;
    const epochs: number[] = [];
    await Promise.all(
      processes.map(async (process) => {
        for (let turn = 0; turn < 3; turn += 1)
          await process.lead("relay", new AbortController().signal, async ({ epoch }) => {
            leaders += 1;
            expect(leaders).toBe(1);
            epochs.push(epoch);
            await new Promise(setImmediate);
            leaders -= 1;
          });
      }),
    );
    expect(epochs).toEqual(Array.from({ length: 12 }, (_, n) => (epochs[0] ?? 0) + n));
    await Promise.all(processes.map((process) => process.close()));
  });

  test("of which an operator has deleted the row is taken again with a greater epoch", async () => {
    const process = join();
    const [one, other] = [lead(process), lead(process, "other")];
    const { epoch } = await one.leading;
    await other.leading;
    await one.stop();
    await schema().evaluate("DELETE FROM warren_leases WHERE name = 'relay'");
    const again = lead(process);
    expect((await again.leading).epoch).toBeGreaterThan(epoch);
    await Promise.all([again.stop(), other.stop()]);
    await process.close();
  });

  test("also says which processes serve the schema", async () => {
    const database = open();
    const serving = () => servingProcesses(database);
    expect(await serving()).toEqual([]);
    const [first, second] = [join(), join()];
    const both = await eventually(async () => {
      const found = await serving();
      return found.length === 2 ? found : undefined;
    }, "both");
    const own = { host: hostname(), pid: process.pid };
    await eventually(async () => (await serving()).some(({ leads }) => leads.includes("log")) || undefined, "one to keep the partitions");
    const relay = lead(second);
    await relay.leading;
    expect(both.map(({ host, pid }) => ({ host, pid }))).toEqual([own, own]);
    expect((await serving()).flatMap(({ leads }) => leads).sort()).toEqual(["log", "relay"]);
    await relay.stop();
    await first.close();
    expect(await serving()).toHaveLength(1);
    await second.close();
    expect(await serving()).toEqual([]);
  });
});

/** Connections that can be cut: statements on them get no answer. */
function cuttable(database: Database) {
  let isCut = false;
  const unless = (query: Database["query"]): Database["query"] => {
    return (sql, ...values) => (isCut ? Promise.reject(new Error("cut off")) : query(sql, ...values));
  };
  return {
    database: {
      ...database,
      query: unless(database.query),
      writer: { query: unless(database.writer.query) },
      line: (purpose) => ({ query: unless(database.line(purpose).query) }),
    } as Database,
    set: (state: "cut" | "whole") => {
      isCut = state === "cut";
    },
  };
}

describeWithPostgres("an earlier leader", () => {
  const { schema, open } = usePostgresTables();

  test("cannot move the relay's position, whichever way", async () => {
    const database = open();
    await database.writer.query("UPDATE meta SET pruned_to = 20");
    const relayed = relayPosition(database);
    const [earlier, later] = [ofEpoch(1), ofEpoch(2)];
    expect([await relayed.load(), await relayed.takeOver(earlier), await relayed.save(7, earlier)]).toEqual([0, 0, true]);
    expect([await relayed.takeOver(later), await relayed.save(9, later)]).toEqual([7, true]);
    expect([await relayed.save(8, earlier), await relayed.save(12, earlier), await relayed.load()]).toEqual([false, false, 9]);
    expect((await rejection(relayed.takeOver(earlier))).message).toBe("Another process has taken over the relay.");
    expect(await schema().evaluate("SELECT position::int FROM relay_times ORDER BY position")).toEqual([{ position: 7 }, { position: 9 }]);
  });

  test("cannot say why the relay waits", async () => {
    const database = open();
    const [relayed, trouble] = [relayPosition(database), savedRelayTrouble(database)];
    const [earlier, later] = [ofEpoch(1), ofEpoch(2)];
    const full = { queue: "item_events", what: "It is full.", since: "2026-02-18T18:23:45.123Z" };
    await relayed.takeOver(earlier);
    await trouble.save(full, earlier);
    expect(await trouble.get()).toEqual(full);
    await relayed.takeOver(later);
    await trouble.save(null, earlier);
    expect(await trouble.get()).toEqual(full);
    await trouble.save({ ...full, queue: null }, later);
    await trouble.save(full, earlier);
    expect(await trouble.get()).toEqual({ ...full, queue: null });
    await trouble.save(null, later);
    expect(await trouble.get()).toBeNull();
  });

  test("cannot save the progress of a replay, and nobody that of one that was cancelled", async () => {
    const replays = replaysIn(open(), "log");
    const replay = { queue: "audit", fill: 0, selection: "{}", first: 3, last: 9, createdAt: "2026-02-18T18:23:45.123Z" };
    await replays.add({ ...replay, id: "a" });
    const [earlier, later] = [ofEpoch(1), ofEpoch(2)];
    const [row] = await replays.takeOver(earlier);
    expect(row).toEqual({ ...replay, id: "a", logId: "log", position: 3, begun: 3, sent: 0, refused: 0, finishedAt: null, error: null });
    const progress = { position: 5, begun: 5, sent: 2, refused: 1, finishedAt: null, error: null };
    await replays.save("a", progress, earlier);
    expect(await replays.takeOver(later)).toMatchObject([progress]);
    await replays.save("a", { ...progress, position: 4 }, earlier);
    expect(await replays.get("a")).toMatchObject(progress);
    await replays.end("a", "2026-02-18T18:30:00.000Z", "cancelled");
    await replays.save("a", { ...progress, position: 8 }, later);
    expect(await replays.get("a")).toMatchObject({ ...progress, finishedAt: "2026-02-18T18:30:00.000Z", error: "cancelled" });
    expect([await replays.unfinished(), await replays.takeOver(later)]).toEqual([[], []]);
    await replays.add({ ...replay, id: "b" });
    expect([(await replays.takeOver(later)).map(({ id }) => id), (await replays.list(10)).map(({ id }) => id)]).toEqual([
      ["b"],
      ["b", "a"],
    ]);
  });
});
