// Attacks on what the API believes of consumers' queues, by users of a real RabbitMQ who may do little there.
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ConfirmChannel, connect, type GetMessage, type Options } from "amqplib";
import { signatureHeader, signatureOf } from "../../../src/rabbitmq/announcement-signature";
import { addUser, roles } from "../../support/broker-users";
import { command } from "../../support/command";
import { temporaryFolder } from "../../support/folder";
import { type Api, endAll, environment, eventually, send, startApi } from "../../support/processes";
import { type QueueConsumers, queueConsumers } from "../../support/queue-consumer";
import { bindingsIn, describeWithRabbit, emptyBroker, messagesIn, type OwnRabbit, startRabbit } from "../../support/rabbit";
import { requests } from "../../support/requests";
import { seedItems } from "../../support/seeded-log";

setDefaultTimeout(120_000);

describeWithRabbit("announcements", () => {
  let rabbit: OwnRabbit;
  const urls: Record<string, string> = {};
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let consumers: QueueConsumers;
  let api: Api;
  const { create, relayed, replays, get } = requests(() => api.url);

  beforeAll(async () => {
    rabbit = await startRabbit();
    for (const [name, rights] of Object.entries(roles)) urls[name] = await addUser(rabbit, name, rights);
  });
  afterAll(() => rabbit?.dispose());
  beforeEach(async () => {
    folder = temporaryFolder();
    env = environment(folder.path, urls["api"]);
    consumers = await queueConsumers({ ...env, RABBITMQ_URL: urls["consumer"] ?? "" });
  });
  afterEach(async () => {
    await endAll();
    consumers.remove();
    folder.remove();
    await emptyBroker(rabbit);
  });

  async function start(more: Record<string, string> = {}): Promise<void> {
    api = await startApi({ env: { ...env, ...more } });
    await api.line("Connected to RabbitMQ");
    // Until the API has declared its queue, RabbitMQ drops what is sent to it.
    await eventually(async () => ("warren.subscriptions" in (await messagesIn(rabbit)) ? true : undefined), "the queue of announcements");
  }

  /** Runs `use` on a channel of a user of RabbitMQ. */
  async function as<T>(user: string, use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const connection = await connect(user === "guest" ? rabbit.url : (urls[user] ?? ""));
    try {
      return await use(await connection.createConfirmChannel());
    } finally {
      await connection.close();
    }
  }

  const announce = (user: string, ...bodies: readonly (object | Buffer)[]) =>
    as(user, async (channel) => {
      for (const body of bodies)
        channel.sendToQueue("warren.subscriptions", Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
      await channel.waitForConfirms();
    });

  const depth = (queue: string) => as("guest", async (channel) => (await channel.checkQueue(queue)).messageCount);
  /** Everything that was announced up to now was read. */
  const read = () =>
    eventually(async () => ((await depth("warren.subscriptions")) === 0 ? true : undefined), "the announcements to be read");
  const refused = (queue: string, problem: string) =>
    api.line(new RegExp(`"queue":"${queue}".*"problem":".*${problem}.*Refused an announcement`));
  const bindings = async () => (await bindingsIn(rabbit)).filter((binding) => binding.startsWith("events audit item."));
  const keyFile = () => join(folder.path, "data", "warren.key");
  const all = ["item.created", "item.updated", "item.deleted"];

  test("with the least rights, API and consumer do their work: past and present, retries, dead letters, replays", async () => {
    await seedItems(folder.path, 3);
    await start();
    consumers.fails({ "item-2": "fail" });
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(4);
    await eventually(
      async () =>
        (await get<{ queues: { queue: string; count: number }[] }>("/dead-letters")).queues.find(({ queue }) => queue === "audit")
          ?.count === 1
          ? true
          : undefined,
      "the dead letter",
    );
    consumers.works();
    expect(await (await send("POST", `${api.url}/dead-letters/audit/redrive`, {})).json()).toEqual({ redriven: 1 });
    await create(1);
    await audit.untilItem(4);
    expect((await send("POST", `${api.url}/replays`, { queue: "audit" })).status).toBe(202);
    await audit.untilSeen(10);
    expect(await as("sharer", async (channel) => (await channel.get("item_events")) !== false)).toBe(true);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    const file = new Database(join(folder.path, "data", "warren.db"), { readonly: true });
    expect(file.query("SELECT queue, signedAt IS NULL AS isUnsigned FROM subscriptions").all()).toEqual([
      { queue: "audit", isUnsigned: 0 },
    ]);
    file.close();
    expect(api.stdout.concat(api.stderr).filter((line) => line.includes("Refused an announcement"))).toEqual([]);
  });

  test("with the least rights for quorum queues, they do the same, and a classic queue is converted", async () => {
    await as("guest", async (channel) => {
      await channel.assertQueue("item_events");
      channel.sendToQueue("item_events", Buffer.from("earlier"));
      await channel.waitForConfirms();
    });
    const quorum = { QUEUE_TYPE: "quorum", RABBITMQ_URL: urls["quorum"] ?? "" };
    await seedItems(folder.path, 3);
    await start(quorum);
    consumers.fails({ "item-2": "fail" });
    const audit = await consumers.start({ queue: "audit" });
    await audit.untilSeen(4);
    consumers.works();
    const depth = (queue: string) => as("guest", async (channel) => (await channel.checkQueue(queue)).messageCount);
    await eventually(async () => ((await depth("audit.dead")) === 1 ? true : undefined), "the dead letter");
    expect(await (await send("POST", `${api.url}/dead-letters/audit/redrive`, {})).json()).toEqual({ redriven: 1 });
    await audit.untilSeen(5);
    expect(await command("queues", ["convert", "item_events", "--yes"], { ...env, ...quorum })).toMatchObject({ code: 0 });
    expect(await depth("item_events")).toBe(4);
    expect(api.stdout.filter((line) => line.includes("ACCESS_REFUSED"))).toEqual([]);
  });

  test("nobody without the key takes events from a queue, also not after a restart; it is logged once, and status shows it", async () => {
    await start();
    const audit = await consumers.start({ queue: "audit" });
    const forged = Buffer.from(
      JSON.stringify({ queue: "audit", types: ["item.deleted"], startFrom: "now", issuedAt: new Date().toISOString(), user: null }),
    );
    for (let n = 0; n < 3; n += 1) {
      await announce(
        "mallory",
        { queue: "audit", types: [], startFrom: "now" },
        { queue: "audit", types: ["item.deleted"], startFrom: "now" },
        { remove: "audit" },
        { cancel: "x" },
      );
      await as("mallory", async (channel) => {
        channel.sendToQueue("warren.subscriptions", forged, { headers: { [signatureHeader]: signatureOf("k".repeat(43), forged) } });
        await channel.waitForConfirms();
      });
    }
    await refused("audit", "names no event type");
    await refused("audit", "it is not signed, so it cannot decide");
    await refused("audit", "not signed with the key of this API");
    await read();
    await create(2);
    await api.stop();
    await start();
    await create(1);
    await audit.untilSeen(3);
    expect(await bindings()).toHaveLength(3);
    expect(api.stdout.filter((line) => line.includes("Refused an announcement"))).toEqual([]);
    const { code, stdout } = await command("status", [], env);
    expect(code).toBe(1);
    expect(stdout).toContain('An announcement of "audit" was refused: it is not signed with the key of this API, so it cannot decide');
  });

  test("nobody without the key gets events, past or present, on a queue of their own or on somebody else's", async () => {
    await seedItems(folder.path, 5);
    await start();
    await as("guest", async (channel) => {
      for (const queue of ["mallory", "payments"]) await channel.assertQueue(queue, { durable: true });
    });
    for (const startFrom of ["beginning", "now", "2000-01-01"]) {
      await announce(
        "mallory",
        { queue: "mallory", types: all, startFrom },
        { queue: "payments", types: all, startFrom },
        { queue: "new", types: all, startFrom },
      );
    }
    await refused("new", "it is not signed");
    await read();
    await create(2);
    await relayed();
    expect(await Promise.all(["mallory", "payments"].map(depth))).toEqual([0, 0]);
    expect(Object.keys(await messagesIn(rabbit))).not.toContain("new");
    expect(await replays()).toEqual([]);
  });

  test("who copies an announcement gains nothing by sending it again", async () => {
    await start();
    await consumers.start({ queue: "audit", events: ["item.created"] }).then((narrow) => narrow.stop());
    await api.stop();
    // While the API is away, announcements wait, for whoever may read them.
    await consumers.start({ queue: "audit", events: ["item.created"] }).then((narrow) => narrow.stop());
    const copy = await as("guest", async (channel) => {
      const message = (await channel.get("warren.subscriptions")) as GetMessage;
      channel.nack(message, false, true);
      return message;
    });
    await consumers.start({ queue: "audit" }).then((wide) => wide.stop());
    await start();
    await eventually(async () => (await bindings()).length === 3 || undefined, "the queue to get all events");
    const { content, properties } = copy;
    const again = (user: string, options: Options.Publish) =>
      as(user, async (channel) => {
        const closed = new Promise<string>((resolve) => channel.on("error", (error: Error) => resolve(error.message)));
        channel.sendToQueue("warren.subscriptions", content, options);
        return Promise.race([closed, channel.waitForConfirms().then(() => "taken")]);
      });
    expect(await again("mallory", { headers: properties.headers, userId: properties.userId })).toContain(
      "user_id property set to 'consumer'",
    );
    expect(await again("mallory", { headers: properties.headers })).toBe("taken");
    await refused("audit", "signed by a RabbitMQ user other than its sender");
    expect(await again("consumer", { headers: properties.headers, userId: properties.userId })).toBe("taken");
    await refused("audit", "older than the last one");
    expect(await bindings()).toHaveLength(3);
  });

  test("consumers from before announcements were signed keep what they have, with a warning; with STRICT_TOPOLOGY=on they do not", async () => {
    await start();
    const audit = await consumers.start({ queue: "audit", events: ["item.created"] });
    await announce("consumer", { queue: "audit", types: ["item.created"], startFrom: "beginning" }, { queue: "audit", retryDelayMs: 1000 });
    await api.line("The next version will refuse this consumer's announcement");
    await announce("consumer", { queue: "audit", types: all, startFrom: "beginning" });
    await refused("audit", "cannot decide");
    await api.stop();
    await start({ STRICT_TOPOLOGY: "on" });
    await announce("consumer", { queue: "audit", types: ["item.created"], startFrom: "beginning" });
    await refused("audit", "it is not signed");
    await create(1);
    await audit.untilSeen(1);
  });

  test("3,000 junk names, also such as an API from before has believed, break nothing", async () => {
    await start();
    const audit = await consumers.start({ queue: "audit" });
    await api.stop();
    const file = new Database(join(folder.path, "data", "warren.db"));
    const old = file.prepare("INSERT INTO subscriptions (queue, types) VALUES (?, ?)");
    file.transaction(() => {
      for (let n = 0; n < 3000; n += 1) old.run(`old-${n}`, JSON.stringify(all));
    })();
    file.close();
    await start();
    await announce("mallory", ...Array.from({ length: 3000 }, (_, n) => ({ queue: `junk-${n}`, types: all, startFrom: "beginning" })));
    await read();
    const queues = async () => {
      const answer = await send("GET", `${api.url}/dead-letters`);
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { queues: unknown[] }).queues;
    };
    expect((await queues()).length).toBeGreaterThanOrEqual(2);
    // Those from before are forgotten as their queues are found to be gone.
    const left = new Database(join(folder.path, "data", "warren.db"), { readonly: true });
    const names = left.prepare("SELECT queue FROM subscriptions");
    await eventually(() => (names.all().length === 1 ? true : undefined), "the names to be forgotten", 60_000);
    left.close();
    expect(await queues()).toHaveLength(2);
    await create(1);
    await audit.untilSeen(1);
    expect(api.stdout.filter((line) => line.includes("Refused an announcement")).length).toBeLessThanOrEqual(101);
    expect((await command("status", ["--json"], env)).code).toBe(1);
  });

  test("names of RabbitMQ's own, and a fill of one from before, hold up nothing; nor does a queue that somebody holds for himself", async () => {
    await start();
    await api.stop();
    const file = new Database(join(folder.path, "data", "warren.db"));
    file.run("INSERT INTO subscriptions (queue, types) VALUES ('amq.evil', '[\"item.created\"]')");
    file.run(`INSERT INTO warren_replays (id, logId, queue, fill, selection, first, position, begun, last, sent, createdAt)
      SELECT 'evil', log_id, 'amq.evil', 1, '{"types":["item.created"],"subject":null,"from":null,"to":null,"rate":null,"force":false}', 0, 0, 0, 0, 0, '2026-01-01T00:00:00.000Z' FROM meta`);
    file.close();
    const connection = await connect(rabbit.url);
    await (await connection.createChannel()).assertQueue("held", { exclusive: true });
    try {
      await start();
      const evil = await eventually(
        async () => (await replays()).find(({ id, state }) => id === "evil" && state !== "running"),
        "the fill to end",
      );
      expect([evil.state, evil.error]).toEqual(["failed", expect.stringContaining("RabbitMQ denies access to the queue")]);
      const key = readFileSync(keyFile(), "utf8").trim();
      await as("guest", async (channel) => {
        for (const queue of ["held", "amq.evil"]) {
          const body = Buffer.from(
            JSON.stringify({ queue, types: all, startFrom: "beginning", issuedAt: new Date().toISOString(), user: null }),
          );
          channel.sendToQueue("warren.subscriptions", body, { headers: { [signatureHeader]: signatureOf(key, body) } });
        }
        await channel.waitForConfirms();
      });
      await refused("held", "RESOURCE_LOCKED");
      await refused("amq.evil", "is reserved for Warren or RabbitMQ");
      const audit = await consumers.start({ queue: "audit" });
      await create(1);
      await audit.untilSeen(1);
      expect((await send("GET", `${api.url}/dead-letters`)).status).toBe(200);
    } finally {
      await connection.close();
    }
  });

  test("an announcement of 100 MB is not read, and does not hold up the API", async () => {
    await start();
    const types = JSON.stringify(Array.from({ length: 1000 }, (_, n) => `item.x${n}`)).slice(1, -1);
    const body = Buffer.from(`{"queue":"big","startFrom":"now","types":[${Array.from({ length: 7500 }, () => types).join(",")}]}`);
    const sending = announce("mallory", body);
    let slowest = 0;
    const line = refused("", "bytes; the maximum is 65536").then(() => true);
    for (let done = false; !done; ) {
      const at = performance.now();
      expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - at);
      done = await Promise.race([line, Bun.sleep(10).then(() => false)]);
    }
    await sending;
    expect(slowest).toBeLessThan(2000);
    console.log(`the slowest answer meanwhile took ${Math.round(slowest)} ms, for ${body.length} bytes`);
  });
});
