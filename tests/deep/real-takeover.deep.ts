// Several API processes on one PostgreSQL and one RabbitMQ: the relay goes to another process when its leader stops, dies or freezes.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { ApiProcess } from "../../src/store/log-follower";
import { ApiGroup } from "../support/api-group";
import { describeWithPostgres, usePostgres } from "../support/postgres";
import { type Api, endAll, eventually, run, send } from "../support/processes";
import { startProxy } from "../support/proxy";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { readScrape } from "../support/scrape";
import { faultsOf, type WatchedQueue, watchQueue } from "../support/watched-queue";

setDefaultTimeout(120_000);

/** Most events that a leader which was suspended may send again: those that it had in flight. */
const window = 1024;

describeWithPostgres("with PostgreSQL", () =>
  describeWithRabbit("and RabbitMQ", () => {
    const schema = usePostgres();
    const rabbit = useRabbit();
    let group: ApiGroup;
    let queue: WatchedQueue;
    afterEach(async () => {
      await endAll();
      await queue.close();
      await emptyBroker(rabbit());
      await schema().drop();
    });

    async function start(count: number, preload?: string): Promise<Api> {
      queue = await watchQueue(rabbit().url);
      group = new ApiGroup(schema(), { RABBITMQ_URL: rabbit().url }, preload);
      await group.start(count);
      return group.leader("relay");
    }
    const faults = async () => faultsOf(queue.ids, await group.log());
    /** Resolves when every event was delivered. */
    const delivered = async () => {
      await group.allRelayed();
      await eventually(async () => ((await faults()).missing === 0 ? true : undefined), "every event to be delivered");
    };

    test("what any process writes is sent, in the order of commits", async () => {
      await start(3);
      await Promise.all(group.apis.map((api) => group.create(api, 1000)));
      await delivered();
      expect(await faults()).toEqual({ missing: 0, outOfOrder: 0, repeated: 0 });
    });

    test("health, metrics and status say which process sends, and the same of what all of them share", async () => {
      const leader = await start(3);
      for (const api of group.apis) await api.line("Connected to RabbitMQ");
      await group.create(leader, 100);
      await group.allRelayed();
      const states = await Promise.all(
        group.apis.map(async (api) => {
          const health = (await (await send("GET", `${api.url}/health/ready`)).json()) as { relay: boolean };
          const scrape = readScrape(await (await send("GET", `${api.url}/metrics`)).text());
          const value = (name: string) => scrape.value(`warren_relay_${name}`);
          return {
            api,
            health,
            running: value("running"),
            position: value("position"),
            backlog: value("backlog_events"),
            confirms: value("confirms_total"),
          };
        }),
      );
      for (const { api, health, ...metrics } of states) {
        const isLeader = api === leader;
        expect(health).toMatchObject({
          status: "ready",
          broker: "connected",
          relay: isLeader,
          events: 100,
          confirmed: 100,
          backlog: { events: 0 },
        });
        expect(metrics).toEqual({ running: isLeader ? 1 : 0, position: 100, backlog: 0, confirms: isLeader ? 100 : 0 });
      }
      const env = { DATABASE_URL: schema().url, RABBITMQ_URL: rabbit().url };
      const status = run(["src/commands/status.ts", "--json"], { env });
      await status.exited;
      const { api, relay } = JSON.parse(status.stdout.join("\n")) as { api: { processes: ApiProcess[] }; relay: { confirmed: number } };
      expect([api.processes.length, relay.confirmed]).toEqual([3, 100]);
      expect(api.processes.filter(({ leads }) => leads.includes("relay")).map(({ pid }) => pid)).toEqual([leader.pid]);
    });

    test("another process sends as soon as the leader stops", async () => {
      const leader = await start(2);
      await group.create(leader, 1000);
      expect(await leader.stop("SIGTERM")).toBe(0);
      const next = await group.leader("relay", [leader]);
      await group.create(next, 1000);
      await delivered();
      // It has stored how far it came.
      expect(await faults()).toEqual({ missing: 0, outOfOrder: 0, repeated: 0 });
    });

    test("another process takes over from a leader that was killed under load, and no event is lost", async () => {
      const leader = await start(3);
      const [writer] = group.others(leader) as [Api];
      const writing = group.create(writer, 8000);
      await eventually(() => queue.ids.length > 500 || undefined, "some events");
      await leader.stop("SIGKILL");
      await group.leader("relay", [leader]);
      await writing;
      await delivered();
      const found = await faults();
      expect(found).toMatchObject({ missing: 0, outOfOrder: 0 });
      // What was in flight, and what was confirmed since the position was last stored.
      expect(found.repeated).toBeLessThanOrEqual(2 * window);
    });

    test("another process takes over from a leader that no longer reaches the database, and that one follows when it does", async () => {
      const { port } = new URL(schema().url);
      const proxy = await startProxy(Number(port));
      queue = await watchQueue(rabbit().url);
      group = new ApiGroup(schema(), { RABBITMQ_URL: rabbit().url }, "tests/support/short-limits.ts");
      await group.start(1, { DATABASE_URL: schema().url.replace(`:${port}/`, `:${proxy.port}/`) });
      const cut = await group.leader("relay");
      await group.start(1);
      const [other] = group.others(cut) as [Api];
      const writing = group.create(other, 8000);
      await eventually(() => queue.ids.length > 300 || undefined, "some events");
      proxy.freeze();
      await group.leader("relay", [cut]);
      await writing;
      await delivered();
      expect(await faults()).toMatchObject({ missing: 0, outOfOrder: 0 });
      // Its own deadline ends the frozen connections, and it opens others.
      await eventually(async () => ((await group.createOne(cut)) === 201 ? true : undefined), "the other one to be back", 60_000);
      await other.stop();
      expect(await group.leader("relay", [other])).toBe(cut);
      await group.create(cut, 100);
      await delivered();
      proxy.close();
    });

    test("another process takes over from a leader that loses RabbitMQ", async () => {
      const proxy = await startProxy(rabbit().port);
      queue = await watchQueue(rabbit().url);
      group = new ApiGroup(schema(), {});
      await group.start(1, { RABBITMQ_URL: rabbit().url.replace(`:${rabbit().port}`, `:${proxy.port}`) });
      const cut = await group.leader("relay");
      await group.start(1, { RABBITMQ_URL: rabbit().url });
      const writing = group.create(cut, 5000);
      await eventually(() => queue.ids.length > 300 || undefined, "some events");
      proxy.close();
      await group.leader("relay", [cut]);
      await writing;
      await delivered();
      expect(await faults()).toMatchObject({ missing: 0, outOfOrder: 0 });
      const health = (await (await send("GET", `${cut.url}/health/ready`)).json()) as {
        relay: boolean;
        problems: string[];
        confirmed: number;
      };
      expect(health).toMatchObject({ relay: false, problems: ["Cannot reach RabbitMQ."], confirmed: await group.end() });
    });

    /** Suspends the leader while it sends, until another process has sent everything, then lets it go on. */
    async function suspendLeader(preload?: string) {
      const leader = await start(2, preload);
      const [other] = group.others(leader) as [Api];
      const writing = group.create(other, 10_000);
      await eventually(() => queue.ids.length > 300 || undefined, "some events");
      process.kill(leader.pid, "SIGSTOP");
      await writing;
      await group.leader("relay", [leader]);
      await delivered();
      const before = await faults();
      // It may move on again at once, so that nobody would see it.
      await schema().evaluate(`CREATE TABLE moved_back (position bigint);
        CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO moved_back VALUES (NEW.position); RETURN NULL; END$$;
        CREATE TRIGGER moved_back AFTER UPDATE ON relay FOR EACH ROW WHEN (NEW.position < OLD.position) EXECUTE FUNCTION note_move()`);
      const movesBack = async () => (await schema().evaluate("SELECT position FROM moved_back")).length;
      process.kill(leader.pid, "SIGCONT");
      // It has gone on when it answers.
      expect(await group.createOne(leader)).toBe(201);
      await delivered();
      return { before, after: await faults(), movesBack };
    }

    test("a leader that was suspended in its work sends at most what it had in flight, and stores nothing", async () => {
      const { before, after, movesBack } = await suspendLeader();
      expect([before.outOfOrder, after.outOfOrder]).toEqual([0, 0]);
      expect(after.repeated).toBeLessThanOrEqual(2 * window);
      for (let look = 0; look < 50; look += 1) expect(await movesBack()).toBe(0);
    });

    test("without a fence, it moves the position back", async () => {
      const { movesBack } = await suspendLeader("tests/support/planted/unfenced-leader.ts");
      await eventually(async () => (await movesBack()) > 0, "the position to move back");
    });
  }),
);
