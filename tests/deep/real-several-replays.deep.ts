// Replays and fills of new queues with several API processes: asked of any, made by one, and continued by the next when that dies.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Replay } from "../../src/delivery/replays";
import { Announcer } from "../../src/rabbitmq/announcer";
import { Broker } from "../../src/rabbitmq/connection";
import { queueDepth } from "../../src/rabbitmq/topology";
import { ApiGroup } from "../support/api-group";
import { rabbitmqAt } from "../support/broker-config";
import { describeWithPostgres, usePostgres } from "../support/postgres";
import { type Api, endAll, eventually, send } from "../support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";
import { faultsOf, type WatchedQueue, watchQueue } from "../support/watched-queue";

setDefaultTimeout(120_000);

const key = "k".repeat(43);
const past = 6000;

describeWithPostgres("with PostgreSQL", () =>
  describeWithRabbit("and RabbitMQ, three processes", () => {
    const schema = usePostgres();
    const rabbit = useRabbit();
    let group: ApiGroup;
    let leader: Api;
    let others: [Api, Api];
    const queues: WatchedQueue[] = [];
    afterEach(async () => {
      await endAll();
      await Promise.all(queues.splice(0).map((queue) => queue.close()));
      await emptyBroker(rabbit());
      await schema().drop();
    });

    const watch = async (queue: string, isOwn?: boolean) => {
      const watched = await watchQueue(rabbit().url, queue, isOwn);
      queues.push(watched);
      return watched;
    };

    /** Starts three processes and sends past events. */
    async function start(): Promise<void> {
      group = new ApiGroup(schema(), { RABBITMQ_URL: rabbit().url, WARREN_KEY: key });
      await group.start(3);
      leader = await group.leader("relay");
      others = group.others(leader) as [Api, Api];
      await group.create(others[0], past);
      await group.allRelayed();
    }
    const replays = async (api: Api) => ((await (await send("GET", `${api.url}/replays`)).json()) as { replays: Replay[] }).replays;
    const replay = async (api: Api, id: string) => (await (await send("GET", `${api.url}/replays/${id}`)).json()) as Replay;
    const ask = async (api: Api, queue: string, more: object = {}) => {
      const answer = await send("POST", `${api.url}/replays`, { queue, ...more });
      expect(answer.status).toBe(202);
      return (await answer.json()) as Replay;
    };
    const ended = (api: Api, id: string) =>
      eventually(async () => {
        const found = await replay(api, id);
        return found.finishedAt === null ? undefined : found;
      }, "the replay to end");

    test("a replay that is asked of any of them goes to its queue, and each shows how far it is", async () => {
      await start();
      const queue = await watch("watched");
      const { id } = await ask(others[0], "watched");
      for (const api of group.apis) expect(await ended(api, id)).toMatchObject({ state: "finished", sent: past, progress: 1 });
      await eventually(() => queue.ids.length >= past || undefined, "the events");
      expect(faultsOf(queue.ids, await group.log())).toEqual({ missing: 0, outOfOrder: 0, repeated: 0 });
    });

    test("a replay is continued when its process dies", async () => {
      await start();
      const queue = await watch("watched");
      const { id } = await ask(others[0], "watched", { rate: 1500 });
      await eventually(async () => ((await replay(others[1], id)).sent > 500 ? true : undefined), "its beginning");
      await leader.stop("SIGKILL");
      expect(await ended(others[1], id)).toMatchObject({ state: "finished", progress: 1 });
      await eventually(() => new Set(queue.ids).size >= past || undefined, "the events");
      const found = faultsOf(queue.ids, await group.log());
      expect(found).toMatchObject({ missing: 0, outOfOrder: 0 });
      expect(found.repeated).toBeLessThan(past / 2);
    });

    test("a replay that another process cancels ends", async () => {
      await start();
      await watch("watched");
      const { id } = await ask(others[0], "watched", { rate: 100 });
      await eventually(async () => ((await replay(others[0], id)).sent > 0 ? true : undefined), "its beginning");
      expect((await send("DELETE", `${others[1].url}/replays/${id}`)).status).toBe(200);
      const { sent } = await ended(leader, id);
      expect((await replays(leader)).map(({ state }) => state)).toEqual(["cancelled"]);
      // The next one is begun after it.
      const next = await ask(leader, "watched");
      await ended(others[0], next.id);
      expect((await replay(others[1], id)).sent).toBe(sent);
      expect(sent).toBeLessThan(past);
    });

    test("a new queue is filled without a gap when the process that fills it dies, and its announcement is read by the next", async () => {
      await start();
      const { log } = recordedLog();
      const broker = await Broker.connect(rabbitmqAt(rabbit().url), log);
      const announcer = new Announcer(broker, key, log);
      await announcer.announce({ queue: "late", types: ["item.created"], startFrom: "beginning" });
      await eventually(async () => (await queueDepth(broker, "late")) || undefined, "the queue to be filled");
      await leader.stop("SIGKILL");
      await announcer.announce({ queue: "later", types: ["item.created"], startFrom: "now" });
      const next = await group.leader("relay", [leader]);
      await group.create(next, 500);
      const queue = await watch("late", true);
      await eventually(
        async () => ((await replays(next)).every(({ state }) => state === "finished") ? true : undefined),
        "the fills to end",
      );
      await eventually(async () => (await queueDepth(broker, "later")) !== undefined || undefined, "the other queue");
      await group.create(next, 500);
      await group.allRelayed();
      await eventually(async () => (faultsOf(queue.ids, await group.log()).missing === 0 ? true : undefined), "every event");
      expect(faultsOf(queue.ids, await group.log())).toMatchObject({ missing: 0, outOfOrder: 0 });
      expect(await eventually(async () => ((await queueDepth(broker, "later")) ?? 0) >= 500 || undefined, "what came since")).toBe(true);
      await broker.close();
    });
  }),
);
