// One message never holds up the rest: what cannot be moved to a queue ends in a file.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildEvent } from "../src/consumer/test-consumer";
import { quarantine, quarantined } from "../src/rabbitmq/quarantine";
import { temporaryFolder } from "./support/folder";
import type { Published } from "./support/mock-channel";
import { settled } from "./support/settled";
import { consumerOn, deliver } from "./support/subscribed";

// Deep nesting takes its time on a busy machine.
setDefaultTimeout(60_000);

/** As amqplib's when RabbitMQ closes a channel, or a connection. */
const refusal = (code: number | string = 406) => Object.assign(new Error("message size 9 is larger than configured max size 8"), { code });
const failing = () => Promise.reject(new Error("no"));
const event = (id: number) => buildEvent("item.created", { id });

describe("a message over which RabbitMQ closes the channel", () => {
  /** A consumer that retries these events; each channel is closed as soon as a copy of the event 2 is published. */
  async function closing(code?: number | string) {
    const consumer = consumerOn({ concurrency: 8, breaker: { minimum: 1000 }, handle: failing });
    const events = [1, 2, 3].map(event);
    const poison = events[1]?.id;
    let left = events;
    for (let channels = 1; ; channels += 1) {
      const { channel } = await consumer.subscribe();
      channel.broker = (copy: Published) => {
        if (copy.options.messageId === poison) void channel.close(refusal(code));
        else copy.confirm();
      };
      for (const each of left) deliver(channel, each, { redelivered: channels > 1 });
      await settled();
      await settled();
      const acked = channel.acked.map(({ properties }) => properties.messageId as string);
      left = left.filter(({ id }) => !acked.includes(id));
      if (left.length === 0 || channels === 6) return { ...consumer, channels, left: left.map(({ id }) => id), poison };
    }
  }

  test("twice goes to a file, and the others to their queue", async () => {
    const { parked, channels, left, lines } = await closing();
    expect({ channels, left }).toEqual({ channels: 3, left: [] });
    expect(parked.quarantined).toEqual([expect.stringContaining('"id":2')]);
    const line = lines.find(({ msg }) => msg === "No queue accepts this message; keeping it in a file");
    expect(line).toMatchObject({ level: "error", queue: "q", file: "a file", error: expect.stringContaining("twice") as string });
  });

  test("once only, and others that are the same in all: none of them goes to a file", async () => {
    const consumer = consumerOn({ concurrency: 8, breaker: { minimum: 1000 }, handle: failing });
    const { channel } = await consumer.subscribe();
    for (let copies = 0; copies < 3; copies += 1) channel.deliver("not JSON");
    await channel.untilPublished(3);
    await channel.close(refusal());
    const { channel: next } = await consumer.subscribe();
    next.broker = (copy) => copy.confirm();
    for (let copies = 0; copies < 3; copies += 1) next.deliver("not JSON", {}, { redelivered: true });
    await next.untilAcked(3);
    expect([next.published.length, consumer.parked.quarantined]).toEqual([3, []]);
  });

  test.each([320, "ECONNRESET"])("is not blamed for a connection that was lost otherwise (%p), however often", async (code) => {
    const { parked, left, poison } = await closing(code);
    expect(left).toContain(poison as string);
    expect(parked.quarantined).toEqual([]);
  });
});

describe("copies that RabbitMQ refuses, though the channel stays", () => {
  const refusing = (options: object = {}) => {
    const consumer = consumerOn({ breaker: { minimum: 1000 }, handle: failing, ...options });
    Object.assign(consumer.parking, { patienceMs: 0 });
    return consumer;
  };

  test("of a retry: it becomes a dead letter, which says so", async () => {
    const { channel } = await refusing().subscribe();
    channel.broker = (copy) => (copy.routingKey === "q.dead" ? copy.confirm() : copy.nack());
    deliver(channel, event(1));
    await channel.untilAcked(1);
    expect(channel.published.map(({ routingKey }) => routingKey)).toEqual([expect.stringMatching(/^q\.retry\./), "q.dead"]);
    expect(channel.published[1]?.options.headers).toMatchObject({
      "x-attempts": 1,
      "x-reason": "attempts-exhausted",
      "x-error": expect.stringMatching(/^Error: no \(not retried, .*message nacked/) as string,
    });
  });

  test("of a dead letter: it goes to a file, and the next one is not waited for either", async () => {
    const { parked, subscribe } = refusing({ retry: { attempts: 1 } });
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.nack();
    deliver(channel, event(1));
    deliver(channel, event(2));
    await channel.untilAcked(2);
    expect(parked.quarantined.map((text) => text.replace(/.*"item":\{"id":(\d).*: /, "$1: "))).toEqual([
      "1: message nacked",
      "2: message nacked",
    ]);
  });

  test("while there is patience, the message stays and is tried again", async () => {
    const consumer = refusing({ retry: { attempts: 1 } });
    Object.assign(consumer.parking, { patienceMs: 60_000 });
    const { channel } = await consumer.subscribe();
    let refused = 0;
    channel.broker = (copy) => {
      refused += 1;
      if (refused < 2) copy.nack();
      else copy.confirm();
    };
    deliver(channel, event(1));
    await channel.untilAcked(1);
    expect([refused, consumer.parked.quarantined]).toEqual([2, []]);
  });

  test("a file that cannot be written leaves the message where it is; it is tried again", async () => {
    const consumer = refusing({ retry: { attempts: 1 } });
    let tries = 0;
    consumer.parking.quarantine = () => {
      tries += 1;
      if (tries === 1) throw new Error("ENOSPC: no space left on device");
      return "a file";
    };
    const { channel } = await consumer.subscribe();
    channel.broker = (copy) => copy.nack();
    deliver(channel, event(1));
    await channel.untilAcked(1);
    expect(tries).toBe(2);
    expect(consumer.lines.find(({ error }) => String(error).startsWith("ENOSPC"))).toMatchObject({
      level: "error",
      pauseMs: expect.any(Number) as number,
    });
  });
});

describe("a file in quarantine", () => {
  const message = (content: Buffer, headers: object = {}) =>
    ({ content, fields: { exchange: "events", routingKey: "item.created" }, properties: { messageId: "m", headers } }) as never;
  const outcome = { action: "dead-letter", reason: "rejected", attempts: 3, error: new Error("no") } as const;

  test("has the whole message, why no queue took it, and what went wrong; only its owner may read it", () => {
    const folder = temporaryFolder();
    const big = "x".repeat(200_000);
    const path = quarantine(folder.path, "stock", message(Buffer.from(big), { mine: 1 }), outcome, "nacked");
    const kept = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(kept).toMatchObject({
      queue: "stock",
      why: "nacked",
      reason: "rejected",
      error: "Error: no",
      attempts: 3,
      routingKey: "item.created",
    });
    expect(kept).toMatchObject({ properties: { messageId: "m", headers: { mine: 1 } }, bodyEncoding: "text", body: big });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    folder.remove();
  });

  test("holds any bytes, and headers nested however deeply", () => {
    const folder = temporaryFolder();
    let table: object = {};
    for (let depth = 0; depth < 100_000; depth += 1) table = { a: table };
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const path = quarantine(folder.path, "stock", message(bytes, { table }), outcome, "nacked");
    const kept = JSON.parse(readFileSync(path, "utf8")) as { body: string; bodyEncoding: string };
    expect([kept.bodyEncoding, Buffer.from(kept.body, "base64")]).toEqual(["base64", bytes]);
    folder.remove();
  });

  test("is counted by its queue; what is not such a file is not", () => {
    const folder = temporaryFolder();
    expect(quarantined(join(folder.path, "none"))).toEqual([]);
    for (const queue of ["stock", "stock", "prices"]) quarantine(folder.path, queue, message(Buffer.from("x")), outcome, "nacked");
    expect(quarantined(folder.path).toSorted((a, b) => (a.queue < b.queue ? -1 : 1))).toEqual([
      { queue: "prices", messages: 1, folder: join(folder.path, "prices") },
      { queue: "stock", messages: 2, folder: join(folder.path, "stock") },
    ]);
    expect(readdirSync(join(folder.path, "stock")).every((name) => name.endsWith(".json"))).toBe(true);
    folder.remove();
  });
});
