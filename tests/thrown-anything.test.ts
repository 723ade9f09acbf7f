// A handler may throw anything at all, or return it: each delivery is settled, whatever it was.
import { describe, expect, test } from "bun:test";
import { buildEvent, type Outcome, testConsumer } from "warren/testing";
import { messageOf } from "../src/observe/logging";
import { consumerOn, deliver } from "./support/subscribed";
import { refuse, thrownValues } from "./support/thrown-values";

type Failure = Extract<Outcome, { action: "retry" | "dead-letter" }>;
/** Ways in which a handler ends with a value. */
const ways: [string, (value: unknown) => unknown][] = [
  [
    "threw",
    (value) => {
      throw value;
    },
  ],
  ["rejected with", (value) => Promise.reject(value)],
  [
    "threw later",
    async (value) => {
      await Promise.resolve();
      throw value;
    },
  ],
];

describe.each(thrownValues)("%s", (_, value) => {
  test.each(ways)("that a handler %s is settled, in a test", async (_, fail) => {
    for (const options of [{ handle: () => fail(value) }, { handleBatch: () => fail(value), batch: { size: 1 } }]) {
      await using consumer = testConsumer({ queue: "thrown", retry: { attempts: 2 }, ...(options as { handle(): unknown }) });
      const outcomes = await consumer.deliverWithRetries(buildEvent("item.created"));
      expect(outcomes.at(-1)?.action).toBe("dead-letter");
      // What was thrown is in the hands of the test as it is, where it can be touched at all.
      expect(Object.is((outcomes.at(-1) as Failure).error, value)).toBe(true);
    }
  });

  test("that a handler with exactlyOnce threw is settled", async () => {
    const options = {
      handle() {
        throw value;
      },
    };
    await using consumer = testConsumer({ queue: "thrown", exactlyOnce: true, retry: { attempts: 2 }, ...options });
    expect((await consumer.deliverWithRetries(buildEvent("item.created"))).at(-1)?.action).toBe("dead-letter");
  });

  test("that a handler returned is settled", async () => {
    for (const handle of [() => value, async () => value]) {
      await using consumer = testConsumer({ queue: "thrown", retry: { attempts: 2 }, handle });
      await consumer.deliverWithRetries(buildEvent("item.created"));
    }
    await using once = testConsumer({ queue: "thrown", exactlyOnce: true, retry: { attempts: 2 }, handle: () => value as undefined });
    await once.deliverWithRetries(buildEvent("item.created"));
  });

  test.each(ways)("that a handler %s is settled on RabbitMQ, with a copy that says so", async (_, fail) => {
    const { channel } = await consumerOn({ retry: { attempts: 1 }, handle: () => fail(value) }).subscribe();
    channel.broker = (copy) => copy.confirm();
    deliver(channel, buildEvent("item.created"));
    await channel.untilAcked(1);
    expect(channel.published.map(({ routingKey }) => routingKey)).toEqual(["q.dead"]);
    expect(channel.published[0]?.options.headers).toMatchObject({ "x-error": expect.any(String) as string });
  });

  test("has a message for a log line", () => {
    expect(messageOf(value)).toBeString();
  });
});

test("a thenable whose `then` can be read only once does not leave the event unsettled", async () => {
  let reads = 0;
  const once = {
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    get then() {
      reads += 1;
      if (reads > 2) throw new Error("read again");
      return refuse;
    },
  };
  await using consumer = testConsumer({ queue: "thrown", retry: { attempts: 1 }, handle: () => once });
  expect((await consumer.deliver(buildEvent("item.created"))).action).toBe("dead-letter");
});
