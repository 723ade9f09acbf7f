// From HTTP to subscribers over a real, private RabbitMQ.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type GetMessage } from "amqplib";
import { type Api, endAll, eventually, send, startApi } from "../support/processes";
import { bindingsIn, describeWithRabbit, emptyBroker, messagesIn, useOwnRabbit } from "../support/rabbit";
import { empty, type LogLine, WebhookTest } from "../support/webhook";

// A broker that is killed and started again takes its time on a busy machine.
setDefaultTimeout(120_000);

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  let it: WebhookTest;
  let api: Api;
  beforeEach(async () => {
    it = new WebhookTest(rabbit().url);
    api = await startApi({ env: it.env });
  });
  afterEach(async () => {
    await endAll();
    it.dispose();
    await emptyBroker(rabbit());
  });

  /** Ready and unacknowledged messages of every queue that has some. */
  async function leftOver(): Promise<Record<string, number>> {
    return Object.fromEntries(Object.entries(await messagesIn(rabbit())).filter(([, messages]) => messages > 0));
  }

  async function takeOne(queue: string): Promise<GetMessage> {
    const connection = await connect(rabbit().url);
    try {
      const message = await (await connection.createChannel()).get(queue, { noAck: true });
      if (!message) throw new Error(`${queue} is empty`);
      return message;
    } finally {
      await connection.close();
    }
  }

  test("the broker filters; each subscriber has its own retries and dead letters, and the others their events once", async () => {
    const all = it.subscriber("all");
    const deleted = it.subscriber("deleted", undefined, { events: ["*.deleted"] });
    const failsOnce = it.subscriber("fails-once", (nth) => empty(nth === 1 ? 500 : 204));
    const limited = it.subscriber("limited", (nth) => (nth === 1 ? empty(429, { "retry-after": "2" }) : empty(204)));
    const fails = it.subscriber("fails", () => empty(500), { events: ["item.created"] });
    const gone = it.subscriber("gone", () => empty(410));
    const webhook = await it.start();
    await it.createItems(api, 1);
    await Promise.all([
      failsOnce.until(2),
      limited.until(2),
      webhook.logged("fails", "dead letter"),
      webhook.logged("gone", "is disabled"),
    ]);
    await it.createItems(api, 4);
    await send("DELETE", `${api.url}/items/3`);
    await Promise.all([all.until(6), deleted.until(1), failsOnce.until(7), limited.until(7)]);

    expect([all, deleted, failsOnce, limited].map(({ received }) => new Set(received.map(({ event }) => event.id)).size)).toEqual([
      6, 1, 6, 6,
    ]);
    expect([all, deleted, failsOnce, limited, gone].map(({ received }) => received.length)).toEqual([6, 1, 7, 7, 1]);
    expect(all.received.every(({ trouble }) => trouble === null)).toBe(true);
    expect((limited.received[1]?.at ?? 0) - (limited.received[0]?.at ?? 0)).toBeGreaterThanOrEqual(2000);

    await fails.until(10);
    await eventually(() => (webhook.about("fails").filter(isDeadLetter).length === 5 ? true : undefined), "five dead letters");
    expect(await webhook.stop()).toBe(0);
    // item_events has nobody to read it, and holds them all.
    expect(await leftOver()).toEqual({ item_events: 6, "webhook.fails.dead": 5 });
    const bound = (await bindingsIn(rabbit())).filter((line) => line.startsWith("events webhook."));
    expect(bound.filter((line) => line.includes("webhook.deleted"))).toEqual(["events webhook.deleted item.deleted"]);
    expect(bound.filter((line) => line.includes("webhook.all"))).toHaveLength(3);
    const { headers } = (await takeOne("webhook.fails.dead")).properties;
    expect(headers).toMatchObject({ "x-reason": "attempts-exhausted", "x-attempts": 2, "x-queue": "webhook.fails" });
    expect(String(headers?.["x-error"])).toEndWith("responded with 500 Internal Server Error");
    const output = [...webhook.stdout, ...webhook.stderr, JSON.stringify(headers)].join("\n");
    for (const secret of it.secrets) expect(output).not.toContain(secret);
  });

  test("two processes share the work; killing one, and the broker, loses nothing", async () => {
    let isSilent = true;
    const crm = it.subscriber("crm", () => (isSilent ? new Promise(() => {}) : empty(204)), {
      concurrency: 4,
      timeoutMs: 3000,
      retry: { attempts: 20, firstDelayMs: 100, factor: 1, longestDelayMs: 100 },
    });
    const first = await it.start();
    await it.start();
    await it.createItems(api, 8);
    await crm.until(8);
    await first.stop("SIGKILL");
    isSilent = false;
    await rabbit().kill();
    await rabbit().start();
    await it.createItems(api, 8);
    const ids = await eventually(
      () => {
        const answered = new Set(crm.received.slice(8).map(({ event }) => event.item.id));
        return answered.size === 16 ? answered : undefined;
      },
      "every event to be delivered after that",
      40_000,
    );
    expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  });
});

function isDeadLetter({ msg }: LogLine): boolean {
  return msg.includes("became a dead letter");
}
