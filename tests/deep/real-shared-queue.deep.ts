// Several processes of one queue on PostgreSQL: one joins, leaves, dies, freezes or is cut off, and others have its lanes within seconds.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithPostgres, sharedPostgres } from "../support/postgres";
import { schemaWithQueues } from "../support/postgres-transport";
import { endAll, eventually } from "../support/processes";
import { startProxy, type TcpProxy } from "../support/proxy";
import { type QueueProcess, SharedQueue } from "../support/shared-queue";

setDefaultTimeout(180_000);

/** Time within which others have the lanes of a process that was lost: its lease, a look at it, and what is between, in milliseconds. */
const takeoverMs = 5000;
const modes = ["once", "at least once"] as const;

describeWithPostgres("processes of one queue", () => {
  let queue: SharedQueue;
  const proxies: TcpProxy[] = [];
  afterEach(async () => {
    await endAll();
    for (const proxy of proxies.splice(0)) proxy.close();
    await queue.close();
    await queue.schema.drop();
  });

  async function start(effects: (typeof modes)[number]): Promise<void> {
    queue = await SharedQueue.on(schemaWithQueues(await sharedPostgres()), effects);
    await queue.create(64);
  }

  /** Starts a process that reaches the database through a proxy. */
  async function startBehindProxy(
    quick: Pick<Parameters<SharedQueue["start"]>[0] & object, "preload" | "env"> = {},
  ): Promise<{ cut: QueueProcess; proxy: TcpProxy }> {
    const { port } = new URL(queue.schema.url);
    const proxy = await startProxy(Number(port));
    proxies.push(proxy);
    return { cut: await queue.start({ url: queue.schema.url.replace(`:${port}/`, `:${proxy.port}/`), ...quick }), proxy };
  }

  /** Expects that nothing is lost, repeated or out of order. A handler whose effects are not in the database may run again. */
  async function expectAllDone(repeated: "none" | "some" = queue.effects === "once" ? "none" : "some"): Promise<void> {
    await queue.settled();
    const faults = await queue.faults();
    expect(faults).toMatchObject({ lost: 0, outOfOrder: 0, ...(repeated === "none" && { repeated: 0 }) });
  }

  describe.each(modes)("with effects %s", (effects) => {
    test("of which some join and leave under load, repeat nothing", async () => {
      await start(effects);
      const writing = queue.change(60);
      const [first, second] = [await queue.start(), await queue.start()];
      await queue.shared(first, second);
      const third = await queue.start();
      await queue.shared(first, second, third);
      expect(await first.stop()).toBe(0);
      await queue.shared(second, third);
      await writing;
      await expectAllDone("none");
      expect(await Promise.all([second.stop(), third.stop()])).toEqual([0, 0]);
    });

    test("of which one after another is killed under load, lose nothing", async () => {
      await start(effects);
      let living = [await queue.start(), await queue.start(), await queue.start()];
      for (let kill = 0; kill < 4; kill += 1) {
        const before = (await queue.done()).length;
        const writing = queue.change(15);
        await eventually(async () => ((await queue.done()).length > before + 50 ? true : undefined), "some effects");
        const [killed, ...others] = living as [QueueProcess, ...QueueProcess[]];
        await killed.stop("SIGKILL");
        living = [...others, await queue.start()];
        await writing;
      }
      await queue.shared(...living);
      await expectAllDone();
    });

    test("of which one is suspended for longer than its lease, keep the order", async () => {
      await start(effects);
      const [first, second, third] = [await queue.start({ env: { HANDLING_MS: "3" } }), await queue.start(), await queue.start()];
      await queue.shared(first, second, third);
      const writing = queue.change(40);
      await eventually(async () => ((await queue.done()).length > 200 ? true : undefined), "some effects");
      process.kill(first.pid, "SIGSTOP");
      await queue.shared(second, third);
      const more = queue.change(5);
      process.kill(first.pid, "SIGCONT");
      await queue.shared(first, second, third);
      await Promise.all([writing, more]);
      await expectAllDone();
    });

    test("of which one loses its connections, again and again, lose nothing", async () => {
      await start(effects);
      const [{ cut, proxy }, other] = [await startBehindProxy(), await queue.start()];
      await queue.shared(cut, other);
      const writing = queue.change(40);
      for (let times = 0; times < 10; times += 1) {
        const before = (await queue.done()).length;
        await eventually(async () => ((await queue.done()).length > before ? true : undefined), "more effects");
        proxy.cut();
      }
      await writing;
      await queue.shared(cut, other);
      await expectAllDone();
    });

    test("of which one has dead connections that nobody ends, lose nothing, and it comes back", async () => {
      await start(effects);
      const quick = { preload: "tests/support/short-limits.ts", env: { HANDLER_TIMEOUT_MS: "3000" } };
      const [{ cut, proxy }, other] = [await startBehindProxy(quick), await queue.start()];
      await queue.shared(cut, other);
      const writing = queue.change(30);
      await eventually(async () => ((await queue.done()).length > 200 ? true : undefined), "some effects");
      proxy.freeze();
      // Its own deadline ends the dead connections, and it opens others. The server ends its dead transactions, which lock what they read.
      await cut.line(/Cannot (read or )?write/, "stderr");
      await writing;
      await queue.settled();
      await queue.shared(cut, other);
      await queue.change(2);
      await expectAllDone();
    });
  });

  test.each<[what: string, lose: (process: QueueProcess, proxy: TcpProxy) => void]>([
    ["is killed", ({ pid }) => process.kill(pid, "SIGKILL")],
    ["is suspended", ({ pid }) => process.kill(pid, "SIGSTOP")],
    ["is cut off", (_, proxy) => proxy.freeze()],
  ])("have the lanes of one that %s within 5 s", async (what, lose) => {
    await start("once");
    const [{ cut, proxy }, second, third] = [await startBehindProxy(), await queue.start(), await queue.start()];
    await queue.shared(cut, second, third);
    await queue.settled();
    const lostAt = performance.now();
    lose(cut, proxy);
    await queue.shared(second, third);
    const ms = performance.now() - lostAt;
    console.log(`a process ${what}: the others have its lanes after ${(ms / 1000).toFixed(1)} s`);
    expect(ms).toBeLessThan(takeoverMs);
    await queue.change(1);
    await expectAllDone();
  });

  /** Replays events in another process than that which handled them. */
  async function replayElsewhere(preload?: string): Promise<number> {
    await start("once");
    const first = await queue.start({ preload });
    await queue.settled();
    await first.stop();
    await queue.start({ preload });
    await queue.replay();
    const { lost, repeated } = await queue.faults();
    expect(lost).toBe(0);
    return repeated;
  }

  test("know what the others have handled: a replay changes nothing", async () => {
    expect(await replayElsewhere()).toBe(0);
  });

  test("each with an inbox of its own, a replay is handled again", async () => {
    expect(await replayElsewhere("tests/support/planted/inbox-per-process.ts")).toBeGreaterThan(0);
  });

  /** Suspends a process right before it saves its position, until another one has handled everything, and then lets it save that. */
  async function saveLate(preload: string) {
    await start("at least once");
    const first = await queue.start({ preload, env: { FREEZE_AT: "200" } });
    await queue.change(10);
    const second = await queue.start();
    await queue.shared(second);
    await queue.settled();
    const before = await queue.positions();
    process.kill(first.pid, "SIGCONT");
    await first.exited;
    const after = await queue.positions();
    expect(await queue.faults()).toMatchObject({ lost: 0, outOfOrder: 0 });
    return after.filter((position, lane) => position < (before[lane] ?? 0)).length;
  }

  test("cannot save a position in lanes that others have taken", async () => {
    expect(await saveLate("tests/support/freezes-before-saving.ts")).toBe(0);
  });

  test("without a fence, move positions of others back", async () => {
    expect(await saveLate("tests/support/planted/unfenced-position.ts")).toBeGreaterThan(0);
  });
});
