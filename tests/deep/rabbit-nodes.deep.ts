// Several nodes in RABBITMQ_URL. Here, each is a way to one and the same RabbitMQ, so that each can be cut and frozen.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { Broker } from "../../src/rabbitmq/connection";
import { rabbitmqAt } from "../support/broker-config";
import { freePort } from "../support/net";
import { eventually } from "../support/processes";
import { startProxy, type TcpProxy } from "../support/proxy";
import { describeWithRabbit, useRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";

setDefaultTimeout(30_000);

describeWithRabbit("a broker of several nodes", () => {
  const rabbit = useRabbit();
  let nodes: TcpProxy[];
  let broker: Broker | undefined;

  beforeEach(async () => {
    nodes = await Promise.all([1, 2, 3].map(() => startProxy(rabbit().port)));
  });
  afterEach(async () => {
    await broker?.close();
    for (const node of nodes) node.close();
  });

  const urlOf = (ports: readonly number[], query = "") => {
    const url = new URL(rabbit().url);
    return `amqp://guest:guest@${ports.map((port) => `127.0.0.1:${port}`).join(",")}${url.pathname}${query}`;
  };
  const connectedNode = () => nodes.findIndex(({ port }) => broker?.node === `127.0.0.1:${port}`);
  const connected = (except = -1) =>
    eventually(() => (connectedNode() !== -1 && connectedNode() !== except ? connectedNode() : undefined), "the connection");

  test("when its node goes away, another one is connected, and the log and the state say which", async () => {
    const { log, lines } = recordedLog();
    broker = await Broker.connect(rabbitmqAt(urlOf(nodes.map(({ port }) => port))), log);
    const first = await connected();
    expect(broker.shown).toBe(`amqp://***@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}${new URL(rabbit().url).pathname}`);
    nodes[first]?.close();
    const second = await connected(first);
    expect(broker.lastError).toBeUndefined();
    expect(broker.reconnects).toBe(1);
    await broker.withChannel((channel) => channel.assertQueue("reached"));
    const about = (message: string) => lines.filter((line) => line["msg"] === message).map((line) => String(line["broker"]));
    expect(about("Connected to RabbitMQ").map((shown) => new URL(shown).port)).toEqual(
      [first, second].map((index) => String(nodes[index]?.port)),
    );
    expect(about("Lost the connection to RabbitMQ; retrying")).toEqual([expect.stringContaining(`:${nodes[first]?.port}`)]);
  });

  test("a frozen node is noticed by its missing heartbeats, and another one is connected", async () => {
    broker = await Broker.connect(
      rabbitmqAt(
        urlOf(
          nodes.map(({ port }) => port),
          "?heartbeat=1",
        ),
      ),
      recordedLog().log,
    );
    const first = await connected();
    nodes[first]?.freeze();
    await connected(first);
  });

  test("one that is away at the start is passed over; it is a trouble only if all are", async () => {
    const [node] = nodes as [TcpProxy];
    const { log, lines } = recordedLog();
    broker = await Broker.connect(rabbitmqAt(urlOf([freePort(), node.port, freePort()])), log);
    await connected();
    expect(lines.filter((line) => line.level === "warn").length).toBeLessThanOrEqual(2);
    await broker.close();
    const ports = [freePort(), freePort()];
    broker = await Broker.connect(rabbitmqAt(urlOf(ports)), log);
    const trouble = await eventually(() => broker?.lastError, "the trouble");
    for (const port of ports) expect(trouble).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
    expect(broker.node).toBeNull();
  });

  test("user, password and virtual host may have any characters", async () => {
    const [name, password, vhost] = ["Ådå @,/", "pässwörd:%,€", rabbit().vhost];
    const erlang = (text: string) => `<<${Buffer.from(text).join(",")}>>`;
    await rabbit().evaluate(`rabbit_auth_backend_internal:add_user(${erlang(name)}, ${erlang(password)}, <<"tests">>),
      rabbit_auth_backend_internal:set_permissions(${erlang(name)}, ${erlang(vhost)}, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)`);
    const [user, secret, path] = [name, password, vhost].map(encodeURIComponent);
    const ports = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const config = rabbitmqAt(`amqp://${user}:${secret}@${ports}/${path}`);
    broker = await Broker.connect(config, recordedLog().log);
    await connected();
    expect([broker.user, config.vhost]).toEqual([name, vhost]);
    await broker.withChannel((channel) => channel.assertQueue("reached"));
    await rabbit().evaluate(`rabbit_auth_backend_internal:delete_user(${erlang(name)}, <<"tests">>)`);
  });
});
