// Real processes on a private RabbitMQ cluster of three nodes, which are killed, frozen and restarted under load.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { faultsIn, Load } from "../support/load";
import { type Api, endAll, environment, eventually, type Running, send, startApi, startLogger } from "../support/processes";
import { describeWithRabbit } from "../support/rabbit";
import { type RabbitCluster, useCluster } from "../support/rabbit-cluster";
import type { RabbitNode } from "../support/rabbit-node";

setDefaultTimeout(300_000);

describeWithRabbit("a RabbitMQ cluster with quorum queues", () => {
  const cluster = useCluster();
  let folder: ReturnType<typeof temporaryFolder>;
  let api: Api;
  let loggers: Running[];

  beforeEach(async () => {
    folder = temporaryFolder();
    const env = { ...environment(folder.path, cluster().url), QUEUE_TYPE: "quorum" };
    api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
    loggers = [await startLogger([], { env }), await startLogger(["--queue", `own-${crypto.randomUUID()}`], { env })];
  });
  afterEach(async () => {
    for (const each of [api.stdout, ...loggers.map((logger) => logger.stderr)]) console.log(each.slice(-60).join("\n"));
    await endAll();
    folder.remove();
  });

  interface Ready {
    readonly status: string;
    readonly node: string | null;
    readonly events: number;
    readonly confirmed: number;
  }
  const ready = async () => (await (await send("GET", `${api.url}/health/ready`)).json()) as Ready;
  const confirmedBeyond = (events: number) =>
    eventually(async () => ((await ready()).confirmed > events ? true : undefined), `more than ${events} confirmed events`, 120_000);

  const nodeOfApi = () =>
    eventually(async () => {
      const { node } = await ready();
      return cluster().nodes.find(({ port }) => node === `127.0.0.1:${port}`);
    }, "the API to be connected");

  /** A thawed node does not always join the others again by itself: its operator restarts it. */
  async function back(node: RabbitNode): Promise<void> {
    await node.thaw();
    await node.kill();
    await node.start();
  }

  /**
   * Most changes that may reach a logger late. RabbitMQ may take its lost connection for alive for a moment: what that one held, up to its
   * prefetch, then comes after what the new connection gets (docs/guarantees.md, "The order of a record's events").
   */
  const mostLateFor = ({ stderr }: Running) => 64 * stderr.filter((line) => line.includes("Lost the connection to RabbitMQ")).length;

  /** Runs a strike under load, and checks that both loggers get everything, in order if they kept their connection. */
  async function underLoad(strike: (cluster: RabbitCluster) => Promise<void>): Promise<void> {
    const load = new Load({ url: () => `${api.url}/items`, writers: 8, pauseMs: 50 });
    await confirmedBeyond(200);
    await strike(cluster());
    await confirmedBeyond((await ready()).events);
    await load.stop();
    expect(load.refusals).toEqual([]);
    for (const logger of loggers) {
      const faults = () => faultsIn(logger.stdout, load, mostLateFor(logger));
      await eventually(() => (faults().length === 0 ? true : undefined), "the last events", 60_000).catch(() => {});
      expect(faults()).toEqual([]);
    }
  }

  test("the leader of a queue is killed with -9 under load", () =>
    underLoad(async ({ leaderOf, settled }) => {
      const leader = await leaderOf("item_events");
      await leader.kill();
      await confirmedBeyond((await ready()).events);
      await leader.start();
      await settled();
    }));

  test("the node that the API is connected to is frozen under load", () =>
    underLoad(async ({ settled }) => {
      const node = await nodeOfApi();
      await node.freeze();
      await eventually(async () => ((await nodeOfApi()) !== node ? true : undefined), "another node", 60_000);
      await confirmedBeyond((await ready()).events);
      await back(node);
      await settled();
    }));

  test("the leader of a queue is frozen under load, while the API is connected to another node", () =>
    underLoad(async ({ nodes, lead, settled }) => {
      const connected = await nodeOfApi();
      const leader = nodes.find((node) => node !== connected) as RabbitNode;
      await lead("item_events", leader);
      await leader.freeze();
      await confirmedBeyond((await ready()).events);
      expect(await nodeOfApi()).toBe(connected);
      await back(leader);
      await settled();
    }));

  test("one node after another is restarted under load, as in an upgrade", () =>
    underLoad(async ({ nodes, settled }) => {
      for (const node of nodes) {
        await node.stop();
        await confirmedBeyond((await ready()).events);
        await node.start();
        await settled();
      }
    }));

  test("two of three nodes are killed under load: the API goes on, the events wait, and arrive when the nodes are back", () =>
    underLoad(async ({ nodes, settled }) => {
      const [, ...others] = nodes;
      await Promise.all(others.map((node) => node.kill()));
      const { confirmed, events } = await ready();
      await eventually(async () => ((await ready()).events > events + 500 ? true : undefined), "more changes");
      expect((await ready()).confirmed).toBeLessThan(confirmed + 500);
      await Promise.all(others.map((node) => node.start()));
      await settled();
    }));
});
