// A consumer's options: the defaults, and the mistakes that are found at the start, each with what would be right.
import { describe, expect, test } from "bun:test";
import type { ConsumerOptions } from "warren/consumer";
import { ConsumerError } from "../src/delivery/consumer-error";
import { resolveConsumer } from "../src/delivery/consumer-options";
import { checkQueueName } from "../src/delivery/queue-name";
import { UnknownEventType } from "../src/schema/catalogue";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";

const { log } = recordedLog();
const resolve = (options: object) =>
  resolveConsumer({ queue: "own", handle() {}, ...options } as ConsumerOptions, catalogue, log, () => {});

const every = ["item.created", "item.updated", "item.deleted", "order.created", "order.updated", "order.deleted"];

describe("the defaults", () => {
  test("of a consumer with a queue of its own", () => {
    expect(resolve({})).toMatchObject({
      queue: "own",
      temporary: false,
      startFrom: "beginning",
      prefetch: 64,
      concurrency: 1,
      ratePerSecond: null,
      timeouts: { ms: 30_000 },
      maxDeaths: 3,
      exactlyOnce: false,
      inboxRetentionMs: 604_800_000,
      retry: { attempts: 5, firstDelayMs: 1000, factor: 2, longestDelayMs: 60_000 },
      breaker: { failureShare: 0.5, minimum: 20, windowMs: 60_000, pauseMs: 30_000 },
    });
    expect([...resolve({}).wanted]).toEqual(every);
  });

  test("of prefetch: more for what shares a commit, twice a batch, and never more than AMQP has", () => {
    expect(resolve({ exactlyOnce: true }).prefetch).toBe(256);
    expect(resolve({ handle: undefined, handleBatch() {} })).toMatchObject({ prefetch: 200, batch: { size: 100, waitMs: 50 } });
    expect(resolve({ handle: undefined, handleBatch() {}, batch: { size: 10_000 } }).prefetch).toBe(20_000);
    expect(resolve({ prefetch: 1 }).prefetch).toBe(1);
  });

  test("without a queue: a temporary one with a unique name", () => {
    const [one, two] = [resolve({ queue: undefined }), resolve({ queue: undefined })];
    expect(one.temporary).toBe(true);
    expect(one.queue).toMatch(/^temporary-[0-9a-f-]{36}$/);
    expect(one.queue).not.toBe(two.queue);
  });
});

describe("the events", () => {
  test("are those that the patterns select, in the order of the catalogue", () => {
    expect([...resolve({ events: ["*.deleted", "item.created"] }).wanted]).toEqual(["item.created", "item.deleted", "order.deleted"]);
  });

  test("of a shared queue are all of its resource's, and cannot be fewer: the others would lose them", () => {
    expect([...resolve({ queue: "item_events" }).wanted]).toEqual(["item.created", "item.updated", "item.deleted"]);
    expect([...resolve({ queue: "item_events", events: ["item.*"] }).wanted]).toHaveLength(3);
    expect(() => resolve({ queue: "item_events", events: ["item.created"] })).toThrow(
      '"item_events" is shared by all consumers of item events',
    );
    expect(() => resolve({ queue: "item_events", events: ["#"] })).toThrow(ConsumerError);
  });

  test("that are none are refused, and the known ones listed", () => {
    expect(() => resolve({ events: [] })).toThrow("`events` is empty: omit it for all events, or list some.");
    expect(() => resolve({ events: ["item.created", "item.craeted"] })).toThrow(UnknownEventType);
    expect(() => resolve({ events: ["item.craeted"] })).toThrow(`Known: ${every.join(", ")}`);
  });
});

describe("an invalid option is refused, with valid values:", () => {
  test.each<[string, object]>([
    ["concurrency is 0; use a whole number from 1 to 1000.", { concurrency: 0 }],
    ["concurrency is 1.5; use a whole number from 1 to 1000.", { concurrency: 1.5 }],
    ["concurrency is 2, but transactions on one file run one after another; omit it.", { concurrency: 2, exactlyOnce: true }],
    ["concurrency is 2, but batches run one after another; omit it.", { concurrency: 2, handle: undefined, handleBatch() {} }],
    ["prefetch is 0; use a whole number from 1 to 65535.", { prefetch: 0 }],
    ["prefetch is 65536; use a whole number from 1 to 65535.", { prefetch: 65_536 }],
    ["ratePerSecond is 0; use a number above 0.", { ratePerSecond: 0 }],
    ["ratePerSecond is NaN; use a number above 0.", { ratePerSecond: Number.NaN }],
    ["handlerTimeoutMs is 0; use a whole number from 1 to 1500000.", { handlerTimeoutMs: 0 }],
    ["handlerTimeoutMs is 1500001; use a whole number from 1 to 1500000.", { handlerTimeoutMs: 1_500_001 }],
    ["maxDeaths is 0; use a whole number from 1 to 1000.", { maxDeaths: 0 }],
    ["inboxRetentionMs is 0; use a whole number from 1 to 315360000000.", { inboxRetentionMs: 0 }],
    ['startFrom is an invalid Date; use "beginning", "now" or a valid Date.', { startFrom: new Date("never") }],
    ['startFrom is an invalid Date; use "beginning", "now" or a valid Date.', { startFrom: new Date("+010000-01-01T00:00:00Z") }],
    ["batch.size is 0; use a whole number from 1 to 10000.", { handle: undefined, handleBatch() {}, batch: { size: 0 } }],
    ["batch.waitMs is -1; use a whole number from 0 to 60000.", { handle: undefined, handleBatch() {}, batch: { waitMs: -1 } }],
    ["breaker.failureShare is 0; use a number greater than 0 and at most 1.", { breaker: { failureShare: 0 } }],
    ["breaker.failureShare is 50; use a number greater than 0 and at most 1.", { breaker: { failureShare: 50 } }],
    ["breaker.pauseMs is 0; use a number of 1 or more.", { breaker: { pauseMs: 0 } }],
    ["breaker.windowMs is NaN; use a number of 1 or more.", { breaker: { windowMs: Number.NaN } }],
  ])("%s", (message, options) => {
    expect(() => resolve(options)).toThrow(new ConsumerError(message));
  });
});

describe("a queue's name", () => {
  test.each(["audit", "A1", "price-watch", "a.b_c", "x".repeat(200), "retry", "dead", "audit.retry.soon"])("%p is fine", (queue) => {
    expect(() => checkQueueName(queue)).not.toThrow();
  });

  test.each(["", "-a", ".a", "a b", "ä", "a/b", "../a", "a\n", "x".repeat(201)])("%p is refused: it is also a file's name", (queue) => {
    expect(() => checkQueueName(queue)).toThrow(`"${queue}" is not a valid queue name`);
  });

  test.each(["audit.dead", "audit.retry.1000", "warren.subscriptions", "amq.evil"])(
    "%p is refused: Warren or RabbitMQ keeps it for itself",
    (queue) => {
      expect(() => checkQueueName(queue)).toThrow("is reserved for Warren or RabbitMQ");
    },
  );
});
