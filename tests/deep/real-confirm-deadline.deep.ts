// A node that answers heartbeats and confirms nothing. Here, each node is a way to one RabbitMQ, whose queue is suspended for a while.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, eventually, send, startApi } from "../support/processes";
import { startProxy, type TcpProxy } from "../support/proxy";
import { describeWithRabbit, useOwnRabbit } from "../support/rabbit";

setDefaultTimeout(120_000);

describeWithRabbit("a node that confirms nothing", () => {
  const rabbit = useOwnRabbit();
  let nodes: TcpProxy[];
  let folder: ReturnType<typeof temporaryFolder>;
  let api: Api;

  beforeEach(async () => {
    nodes = await Promise.all([1, 2].map(() => startProxy(rabbit().port)));
    folder = temporaryFolder();
    api = await startApi({ env: environment(folder.path, `amqp://guest:guest@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`) });
    await api.line("Connected to RabbitMQ");
  });
  afterEach(async () => {
    await endAll();
    for (const node of nodes) node.close();
    folder.remove();
  });

  const ready = async () =>
    (await (await send("GET", `${api.url}/health/ready`)).json()) as { node: string | null; events: number; confirmed: number };
  const confirmed = (events: number) =>
    eventually(async () => (await ready()).confirmed === events || undefined, `${events} confirmed events`);
  const queue = (what: "suspend" | "resume") =>
    rabbit().evaluate(`{ok, Q} = rabbit_amqqueue:lookup({resource, <<"/">>, queue, <<"item_events">>}), sys:${what}(amqqueue:get_pid(Q))`);

  test("is left after half a minute for another one, and nothing is lost", async () => {
    await send("POST", `${api.url}/items`, { name: "1" });
    await confirmed(1);
    const { node } = await ready();
    await queue("suspend");
    await send("POST", `${api.url}/items`, { name: "2" });
    const line = await eventually(() => api.stdout.find((each) => each.includes("it has confirmed nothing for")), "the deadline", 60_000);
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      msg: "Lost the connection to RabbitMQ; retrying",
      broker: `amqp://***@${node}`,
    });
    await eventually(async () => ![null, node].includes((await ready()).node) || undefined, "another node");
    await queue("resume");
    await confirmed(2);
  });
});
