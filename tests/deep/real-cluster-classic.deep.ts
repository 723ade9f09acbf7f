// Classic queues on a RabbitMQ cluster: each is on one node, and while that is down, RabbitMQ says of it what it says of a queue that is missing.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { command } from "../support/command";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, eventually, run, send, startApi, startLogger } from "../support/processes";
import { describeWithRabbit } from "../support/rabbit";
import { useCluster } from "../support/rabbit-cluster";

setDefaultTimeout(120_000);

describeWithRabbit("classic queues on a RabbitMQ cluster", () => {
  const cluster = useCluster();
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let api: Api;

  beforeEach(async () => {
    folder = temporaryFolder();
    env = environment(folder.path, cluster().url);
    api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
  });

  interface Ready {
    readonly node: string | null;
    readonly events: number;
    readonly confirmed: number;
    readonly problems: string[];
  }
  const ready = async () => (await (await send("GET", `${api.url}/health/ready`)).json()) as Ready;
  const problems = (pattern: RegExp) =>
    eventually(async () => (await ready()).problems.find((problem) => pattern.test(problem)), `a problem with ${pattern}`);
  const confirmed = (events: number) =>
    eventually(async () => ((await ready()).confirmed === events ? true : undefined), `${events} confirmed events`, 60_000);
  async function create(...names: string[]): Promise<void> {
    for (const name of names) expect((await send("POST", `${api.url}/items`, { name })).status).toBe(201);
  }
  const names = (lines: readonly string[]) => lines.flatMap((line) => /Name: (\w+)/.exec(line)?.[1] ?? []);

  test("are reported before anything happens, and while their node is down nothing is lost, forgotten or sent again", async () => {
    const danger = await problems(/"item_events" drops events: it is a classic queue, on one node of the cluster/);
    expect(danger).toContain("misses events while that node is down");
    const status = await command("status", [], env);
    expect([status.code, status.stdout]).toEqual([1, expect.stringContaining("QUEUE_TYPE=quorum")]);

    const first = await startLogger(["--queue", "own"], { env });
    await create("a", "b");
    await confirmed(2);
    await first.lines(/Name: b/, 1);
    expect(await first.stop()).toBe(0);
    await create("c");
    await confirmed(3);

    const home = await cluster().leaderOf("item_events");
    expect(await cluster().leaderOf("own")).toBe(home);
    await home.kill();
    await create("d", "e");
    const trouble = await problems(/^No event can be sent: The queue "item_events" cannot be used until RabbitMQ has it again/);
    expect(trouble).toContain("is down or inaccessible");
    const second = run(["consumers/logger.ts", "--queue", "own"], { env });
    await second.line(/Cannot set up a RabbitMQ channel; retrying/, "stderr");

    await home.start();
    await confirmed(5);
    // Only what it has not had: the queue was neither made anew nor filled from the log.
    await second.lines(/Name: e/, 1);
    expect(names(second.stdout)).toEqual(["c", "d", "e"]);
    const shared = await startLogger([], { env });
    await shared.lines(/Name: e/, 1);
    expect(names(shared.stdout)).toEqual(["a", "b", "c", "d", "e"]);
  });
});
