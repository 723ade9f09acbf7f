// A consumer settles each message on its channel, with a mock broker.
import { afterEach, describe, expect, jest, test } from "bun:test";
import { Reject, RetryAfter } from "warren/consumer";
import { buildEvent, buildEventOf } from "warren/testing";
import type { Published } from "./support/mock-channel";
import { order } from "./support/resources";
import { advance, settled } from "./support/settled";
import { consumerOn, deliver } from "./support/subscribed";

afterEach(() => {
  jest.useRealTimers();
});

const event = buildEvent("item.created", { id: 7 });
const failing = () => Promise.reject(new Error("no"));

test("it asks for no more than its prefetch, and for its own queue only", async () => {
  const { channel } = await consumerOn({ prefetch: 17, handle() {} }).subscribe();
  expect([channel.prefetched, channel.calls]).toEqual([17, ["consume q"]]);
});

describe("a message is acknowledged", () => {
  test("after the handler, and not before", async () => {
    const gate = Promise.withResolvers<void>();
    const { channel } = await consumerOn({ handle: () => gate.promise }).subscribe();
    const message = deliver(channel, event);
    await settled();
    expect(channel.acked).toEqual([]);
    gate.resolve();
    expect(await channel.untilAcked(1)).toEqual([message]);
    expect(channel.calls).toEqual(["consume q", "ack 1"]);
  });

  test("each by itself, in the order in which they are done", async () => {
    const gates = new Map([1, 2, 3].map((id) => [id, Promise.withResolvers<void>()]));
    const { channel } = await consumerOn({ concurrency: 3, handle: ({ item }) => gates.get(item.id)?.promise }).subscribe();
    for (const id of [1, 2, 3]) deliver(channel, buildEvent("item.created", { id }));
    for (const id of [2, 3, 1]) {
      gates.get(id)?.resolve();
      await settled();
    }
    expect(channel.calls).toEqual(["consume q", "ack 2", "ack 3", "ack 1"]);
  });

  test("if its type was not requested, or its effect exists already", async () => {
    const { channel } = await consumerOn({ events: ["item.*"], exactlyOnce: true, handle() {} }).subscribe();
    deliver(channel, event);
    deliver(channel, event, { redelivered: true });
    deliver(channel, buildEventOf(order, "created"));
    await channel.untilAcked(3);
    expect(channel.published).toEqual([]);
  });
});

describe("invariant 3: the copy is confirmed before the original is acked", () => {
  test("a retry", async () => {
    const { channel } = await consumerOn({ retry: { firstDelayMs: 4000 }, handle: failing }).subscribe();
    const message = deliver(channel, event);
    const [copy] = await channel.untilPublished(1);
    await settled();
    expect(channel.acked).toEqual([]);
    copy?.confirm();
    expect(await channel.untilAcked(1)).toEqual([message]);
    expect(channel.calls).toEqual(["consume q", `publish ${copy?.routingKey}`, "ack 1"]);
    expect(["q.retry.3000", "q.retry.4000", "q.retry.5000"]).toContain(copy?.routingKey as string);
  });

  test("a dead letter", async () => {
    const { channel } = await consumerOn({
      handle() {
        throw new Reject("never");
      },
    }).subscribe();
    const message = deliver(channel, event);
    const [copy] = await channel.untilPublished(1);
    await settled();
    expect(channel.acked).toEqual([]);
    copy?.confirm();
    expect(await channel.untilAcked(1)).toEqual([message]);
    expect(channel.calls).toEqual(["consume q", "publish q.dead", "ack 1"]);
  });

  test.each<[string, (copy: Published) => void]>([
    ["refuses it", (copy) => copy.nack()],
    ["finds no queue for it", (copy) => copy.return()],
  ])("and the original is not acked when the broker %s: the copy is sent again until it is safe", async (_, answer) => {
    jest.useFakeTimers();
    const { subscribe, parked, at } = consumerOn({ handle: () => Promise.reject(new RetryAfter(1000)) });
    const { channel } = await subscribe();
    deliver(channel, event);
    for (let count = 1; count <= 3; count += 1) {
      await settled();
      expect(channel.published).toHaveLength(count);
      answer(channel.published[count - 1] as Published);
      await settled();
      expect(channel.acked).toEqual([]);
      // Its queue may have gone: it is declared anew.
      expect(parked.forgotten).toBe(count);
      await advance(100 * 2 ** (count - 1));
    }
    channel.published[3]?.confirm();
    await settled();
    expect(channel.calls.slice(1)).toEqual([...Array.from({ length: 4 }, () => "publish q.retry.1000"), "ack 1"]);
    expect(new Set(channel.published.map(({ options }) => options.messageId))).toEqual(new Set([event.id]));
    expect(at("error")).toEqual(Array.from({ length: 3 }, () => "Cannot move a failed event; it stays unacknowledged. Retrying"));
  });

  test("and the original is not acked while its queue cannot be created; retries pause in between", async () => {
    jest.useFakeTimers();
    const { subscribe, parking } = consumerOn({ handle: failing });
    let tries = 0;
    parking.retryQueue = async () => {
      tries += 1;
      throw new Error("ACCESS_REFUSED");
    };
    const { channel } = await subscribe();
    deliver(channel, event);
    for (let second = 0; second < 60; second += 1) for (let step = 0; step < 10; step += 1) await advance(100);
    expect([channel.acked, channel.published]).toEqual([[], []]);
    // After 0.1, 0.2, 0.4 s and so on, then every 5 s.
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(20);
  });

  test("and the original is not acked when the channel goes before the confirm: the broker delivers it again", async () => {
    const { channel } = await consumerOn({ handle: failing }).subscribe();
    deliver(channel, event);
    await channel.untilPublished(1);
    channel.close();
    await settled();
    expect(channel.acked).toEqual([]);
  });
});
