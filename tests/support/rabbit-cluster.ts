import { afterAll, beforeAll } from "bun:test";
import { leftovers } from "./folder";
import { freePort } from "./net";
import { eventually } from "./processes";
import { nodeNameOf, type RabbitNode, startNode } from "./rabbit-node";

/** A RabbitMQ cluster of this process. Each node may be killed, frozen, thawed and started again. */
export interface RabbitCluster {
  readonly nodes: readonly RabbitNode[];
  /** Value of RABBITMQ_URL with all nodes. */
  readonly url: string;
  /** URL of one node. */
  urlOf(node: RabbitNode): string;
  /** Resolves with the node that leads a quorum queue, or that holds a classic one. Waits until there is one. */
  leaderOf(queue: string): Promise<RabbitNode>;
  /** Makes a node the leader of a quorum queue. */
  lead(queue: string, node: RabbitNode): Promise<void>;
  /** Resolves when each running node has as many running peers as there are running nodes. Fails after `timeoutMs`, by default a minute. */
  settled(timeoutMs?: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface RabbitClusterOptions {
  /** Number of nodes. Default: 3. */
  readonly size?: number;
  /** Lines of each node's `rabbitmq.conf`. Default: nodes in a minority pause, and notice within 10 s that another one is frozen. */
  readonly settings?: readonly string[];
  /** Gives each node a management API. Default: false. */
  readonly managed?: boolean;
}

/** Starts nodes that form a cluster, with an Erlang port mapper and a cookie of their own. None of it outlives this process. */
export async function startCluster({ size = 3, settings, managed = false }: RabbitClusterOptions = {}): Promise<RabbitCluster> {
  const mapperPort = freePort();
  const ports = Array.from({ length: size }, () => freePort());
  const options = {
    mapperPort,
    cookie: crypto.randomUUID().replaceAll("-", ""),
    ports,
    settings: settings ?? ["cluster_partition_handling = pause_minority", "net_ticktime = 8"],
  };
  const endMapper = ["epmd", "-port", String(mapperPort), "-kill"];
  const withdraw = leftovers.runAtEnd(`sleep 1; ${endMapper.join(" ")}`);
  const starts = await Promise.allSettled(
    ports.map((port) => startNode({ port, cluster: options, ...(managed && { managementPort: freePort() }) })),
  );
  const nodes = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const dispose = async () => {
    await Promise.all(nodes.map((node) => node.dispose()));
    await Bun.spawn(endMapper, { env: { ...process.env, ERL_EPMD_RELAXED_COMMAND_CHECK: "1" }, stdout: "ignore", stderr: "ignore" }).exited;
    withdraw();
  };
  const cluster: RabbitCluster = {
    nodes,
    url: `amqp://guest:guest@${ports.map((port) => `127.0.0.1:${port}`).join(",")}`,
    urlOf: ({ port }) => `amqp://guest:guest@127.0.0.1:${port}`,
    leaderOf: (queue) => leaderOf(nodes, queue),
    lead: (queue, node) => lead(nodes, queue, node),
    settled: (timeoutMs) => settled(nodes, timeoutMs),
    dispose,
  };
  try {
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await cluster.settled();
  } catch (error) {
    await dispose();
    throw error;
  }
  return cluster;
}

/** Starts a cluster for the tests of the surrounding block, and disposes of it after the last one. */
export function useCluster(options?: RabbitClusterOptions): () => RabbitCluster {
  let cluster: RabbitCluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster(options);
  });
  afterAll(() => cluster?.dispose());
  return () => {
    if (!cluster) throw new Error("The cluster runs only during the tests of this block.");
    return cluster;
  };
}

/** A frozen node never answers, so nodes are asked only while they run. */
const running = (nodes: readonly RabbitNode[]) => nodes.filter((node) => node.isUp() && !node.isFrozen());

function leaderOf(nodes: readonly RabbitNode[], queue: string): Promise<RabbitNode> {
  return eventually(async () => {
    for (const node of running(nodes)) {
      const name = await node
        .evaluate(
          `case rabbit_amqqueue:lookup({resource, <<"/">>, queue, <<"${queue}">>}) of
             {ok, Q} -> case amqqueue:get_pid(Q) of
               {Name, Member} -> case ra:members({Name, Member}, 1000) of {ok, _, {_, Leader}} -> atom_to_list(Leader); _ -> "" end;
               Pid -> atom_to_list(node(Pid)) end;
             _ -> "" end`,
        )
        .catch(() => "");
      const leader = running(nodes).find(({ port }) => nodeNameOf(port) === name);
      if (leader) return leader;
    }
    return undefined;
  }, `a leader of "${queue}"`);
}

async function lead(nodes: readonly RabbitNode[], queue: string, node: RabbitNode): Promise<void> {
  await eventually(async () => {
    const leader = await leaderOf(nodes, queue);
    if (leader === node) return true;
    // A node that is behind, or busy, does not take over: it is asked until it does.
    await leader
      .evaluate(`{ok, Q} = rabbit_amqqueue:lookup({resource, <<"/">>, queue, <<"${queue}">>}),
        {Name, _} = amqqueue:get_pid(Q), ra:transfer_leadership({Name, node()}, {Name, '${nodeNameOf(node.port)}'})`)
      .catch(() => {});
    await Bun.sleep(200);
    return undefined;
  }, `the new leader of "${queue}"`);
}

async function settled(nodes: readonly RabbitNode[], timeoutMs = 60_000): Promise<void> {
  const up = running(nodes);
  await Promise.all(
    up.map((node) =>
      eventually(
        async () => (Number(await node.evaluate("length(rabbit_nodes:all_running())").catch(() => 0)) === up.length ? true : undefined),
        `node ${node.port} to know ${up.length} running nodes`,
        timeoutMs,
      ),
    ),
  );
}
