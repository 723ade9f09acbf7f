// The conversion of classic queues to quorum queues under load, of a resource that is not `item`, with the API killed in the middle.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type ChannelModel, connect } from "amqplib";
import type { DeadLetter } from "../../src/delivery/dead-letters";
import { command } from "../support/command";
import { temporaryFolder } from "../support/folder";
import { faultsIn, Load } from "../support/load";
import { freePort } from "../support/net";
import { type Api, endAll, environment, eventually, type Running, send, startApi, startLogger } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { bindingsIn, describeWithRabbit, emptyBroker, useOwnRabbit, useRabbit } from "../support/rabbit";

setDefaultTimeout(180_000);

const files = {
  "src/domain/parcel.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const parcel = defineResource({ name: "parcel", fields: { name: Type.String({ minLength: 1 }) }, example: { name: "1" } });
`,
  "routes/parcels.ts": `import { parcel } from "../src/domain/parcel";
import { crud } from "warren/crud";

export default crud(parcel);
`,
};
const shared = "parcel_events";

describeWithRabbit("the conversion of classic queues to quorum queues", () => {
  const rabbit = useRabbit();
  let project: ReturnType<typeof temporaryFolder>;
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let quorum: Record<string, string>;
  let api: Api;
  let connection: ChannelModel;

  beforeAll(async () => {
    project = copyProject();
    for (const [name, text] of Object.entries(files)) await Bun.write(join(project.path, name), text);
  });
  afterAll(() => project.remove());
  beforeEach(async () => {
    folder = temporaryFolder();
    env = environment(folder.path, rabbit().url);
    quorum = { ...env, QUEUE_TYPE: "quorum" };
    api = await startApi({ env, cwd: project.path });
    connection = await connect(rabbit().url);
    await eventually(async () => (await depth(shared)) === 0 || undefined, "the classic queue");
  });
  afterEach(async () => {
    await endAll();
    await connection.close();
    folder.remove();
    await emptyBroker(rabbit());
  });

  const queues = (...words: string[]) => command("queues", words, quorum, project.path);
  const logger = (queue: string, how = quorum) => {
    const words = queue === shared ? ["--queue", queue] : ["--queue", queue, "--events", "parcel.*"];
    return startLogger(words, { env: how, cwd: project.path });
  };
  const restart = async (how: Record<string, string>) => {
    api = await startApi({ env: how, cwd: project.path });
    await api.line("Connected to RabbitMQ");
  };
  const typeOf = (queue: string) =>
    rabbit().evaluate(`case rabbit_amqqueue:lookup({resource, <<${Buffer.from(rabbit().vhost).join(",")}>>, queue, <<"${queue}">>}) of
      {ok, Q} -> atom_to_list(amqqueue:get_type(Q)); _ -> "" end`);
  /** Resolves with the number of ready messages; undefined if there is no such queue. */
  async function depth(queue: string): Promise<number | undefined> {
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    const found = await channel.checkQueue(queue).catch(() => undefined);
    if (found) await channel.close();
    return found?.messageCount;
  }

  test("loses nothing and keeps the order within a record, with the API killed at any point of it", async () => {
    const own = ["own-1", "own-2", "own-3"];
    const all = [shared, ...own];
    const load = new Load({ url: () => `${api.url}/parcels`, writers: 10, pauseMs: 20, isPatient: true });
    const lines = new Map<string, string[]>();
    const keep = async (queue: string, running: Running) => {
      await running.stop();
      lines.set(queue, [...(lines.get(queue) ?? []), ...running.stdout]);
    };
    for (const queue of all) {
      const running = await logger(queue, env);
      await running.lines(/^\[/, 200);
      await keep(queue, running);
    }
    await eventually(async () => ((await depth(shared)) ?? 0) > 4000 || undefined, "a backlog", 90_000);
    await api.stop("SIGKILL");
    await restart(quorum);
    const bindings = await bindingsIn(rabbit());

    let kills = 0;
    for (const [index, queue] of all.entries()) {
      const converting = queues("convert", queue, "--yes");
      await eventually(
        async () => ((await depth(`${queue}.converting`)) ?? 0) > index * 1000 || undefined,
        `events to move out of ${queue}`,
      );
      if (index === 3) await eventually(async () => (await typeOf(queue)) === "rabbit_quorum_queue" || undefined, "the new queue");
      await api.stop("SIGKILL");
      kills += 1;
      await restart(quorum);
      const { code, stderr, stdout } = await converting;
      expect([code, stdout, stderr]).toEqual([0, expect.stringContaining(`"${queue}" was converted`), expect.anything()]);
      expect([await typeOf(queue), await depth(`${queue}.converting`)]).toEqual(["rabbit_quorum_queue", undefined]);
    }
    expect(kills).toBe(4);
    expect((await bindingsIn(rabbit())).toSorted()).toEqual(bindings.toSorted());

    await load.stop();
    expect(load.refusals).toEqual([]);
    for (const queue of all) {
      const running = await logger(queue);
      const faults = () => faultsIn([...(lines.get(queue) ?? []), ...running.stdout], load);
      await eventually(() => faults().length === 0 || undefined, "the last events", 60_000).catch(() => {});
      expect(faults()).toEqual([]);
    }
  });

  test("takes dead letters along, with the reasons that Warren and RabbitMQ noted", async () => {
    const channel = await connection.createConfirmChannel();
    const deaths = [{ count: 1, exchange: "", queue: shared, reason: "delivery_limit", "routing-keys": [shared] }];
    await channel.assertQueue(`${shared}.dead`);
    channel.sendToQueue(`${shared}.dead`, Buffer.from("by RabbitMQ"), { messageId: "1", headers: { "x-death": deaths } });
    channel.sendToQueue(`${shared}.dead`, Buffer.from("by Warren"), {
      messageId: "2",
      headers: { "x-reason": "rejected", "x-error": "no" },
    });
    await channel.waitForConfirms();
    await api.stop();
    await restart(quorum);
    expect((await queues("convert", shared, "--yes")).code).toBe(0);
    expect(await typeOf(`${shared}.dead`)).toBe("rabbit_quorum_queue");
    const listed = await command("dead-letters", ["list", shared, "--json"], quorum, project.path);
    const { deadLetters } = JSON.parse(listed.stdout) as { deadLetters: DeadLetter[] };
    expect(deadLetters.map(({ id, reason }) => [id, reason])).toEqual([
      ["1", "delivery_limit"],
      ["2", "rejected"],
    ]);
    const again = await queues("convert", shared, "--yes", "--json");
    expect([again.code, JSON.parse(again.stdout)]).toEqual([0, { queue: shared, converted: false }]);
  });

  test("is refused, with the reason, if it could lose something or cannot be made", async () => {
    const refused = async (words: readonly string[], how = quorum) => {
      const { code, stderr } = await command("queues", ["convert", ...words, "--yes"], how, project.path);
      return [code, stderr];
    };
    expect(await refused([shared], env)).toEqual([1, expect.stringContaining("Set QUEUE_TYPE=quorum for the API")]);
    expect(await refused(["nothing"])).toEqual([1, expect.stringContaining('There is no queue "nothing"')]);
    // The API still declares classic queues.
    expect(await refused([shared])).toEqual([1, expect.stringContaining("restart it with QUEUE_TYPE=quorum")]);
    await api.stop();
    expect(await refused([shared])).toEqual([1, expect.stringContaining("The API is not running")]);
    await restart(quorum);
    const running = await logger(shared);
    expect(await refused([shared])).toEqual([1, expect.stringContaining(`1 consumer of "${shared}" is running: stop it first.`)]);
    await running.stop();
    const { code, stderr } = await queues("convert", shared);
    expect([code, stderr]).toEqual([2, expect.stringContaining("use --yes")]);
    expect(await typeOf(shared)).toBe("rabbit_classic_queue");
  });

  test("waits for a consumer that comes in between, and says so", async () => {
    const channel = await connection.createChannel();
    await api.stop();
    await restart(quorum);
    for (let n = 1; n <= 10; n += 1) await send("POST", `${api.url}/parcels`, { name: String(n) });
    await eventually(async () => (await depth(shared)) === 10 || undefined, "ten events");
    await api.stop();
    // As if the API had been killed right after it had begun.
    await channel.assertQueue(`${shared}.converting`, { arguments: { "x-queue-type": "quorum", "x-delivery-limit": 2 ** 31 - 1 } });
    const { consumerTag } = await channel.consume(shared, () => {});
    await restart(quorum);
    await api.line(/The conversion of a queue waits/);
    const problems = ((await (await send("GET", `${api.url}/health/ready`)).json()) as { problems: string[] }).problems;
    expect(problems).toContain(`The conversion of "${shared}" to a quorum queue waits: it has a consumer, or a program sends to it.`);
    await channel.cancel(consumerTag);
    await channel.recover();
    await eventually(async () => (await typeOf(shared)) === "rabbit_quorum_queue" || undefined, "the conversion");
    const running = await logger(shared);
    await running.lines(/Name: 10 /, 1);
    expect(running.stdout.filter((line) => line.startsWith("["))).toHaveLength(10);
  });
});

describeWithRabbit("the conversion of a queue, with the management API", () => {
  const managementPort = freePort();
  const rabbit = useOwnRabbit({ managementPort });
  let folder: ReturnType<typeof temporaryFolder>;

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
  });

  test("waits for events that a paused consumer holds, and keeps the bindings of other programs", async () => {
    const managed = { RABBITMQ_MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${managementPort}` };
    const env = { ...environment(folder.path, rabbit().url), QUEUE_TYPE: "quorum", ...managed };
    const connection = await connect(rabbit().url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("item_events");
    await channel.assertExchange("foreign", "headers");
    await channel.bindQueue("item_events", "foreign", "", { "x-match": "any", kind: "a" });
    channel.sendToQueue("item_events", Buffer.from("held"), { messageId: "held" });
    await channel.waitForConfirms();
    // Held without a subscription, as by a consumer whose circuit breaker is open.
    const held = await channel.get("item_events");
    if (!held) throw new Error("There is no message.");
    const unsettled = async () => {
      const answer = await fetch(`http://127.0.0.1:${managementPort}/api/queues/%2F/item_events`, {
        headers: { authorization: `Basic ${btoa("guest:guest")}` },
      });
      return ((await answer.json()) as { messages_unacknowledged?: number }).messages_unacknowledged;
    };
    await eventually(async () => (await unsettled()) === 1 || undefined, "the statistics");
    const api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
    const converting = command("queues", ["convert", "item_events", "--yes"], env);
    await api.line(/a consumer holds 1 of its events/);
    channel.nack(held);
    expect((await converting).code).toBe(0);
    channel.publish("foreign", "", Buffer.from("by another program"), { headers: { kind: "a" } });
    await channel.waitForConfirms();
    const found = [await channel.get("item_events", { noAck: true }), await channel.get("item_events", { noAck: true })];
    expect(found.map((message) => (message === false ? "" : message.content.toString()))).toEqual(["held", "by another program"]);
    expect((await bindingsIn(rabbit())).toSorted()).toEqual(["events item_events item.*", "foreign item_events "]);
    await connection.close();
  });
});
