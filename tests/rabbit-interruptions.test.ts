// A consumer whose channel goes: nothing is lost, and as little as can be is done twice.
import { describe, expect, test } from "bun:test";
import { Reject } from "warren/consumer";
import { buildEvent } from "warren/testing";
import { Interrupted } from "../src/rabbitmq/interrupted";
import { settled } from "./support/settled";
import { consumerOn, deliver, gatedConsumer } from "./support/subscribed";

const again = { redelivered: true };
const created = (id: number) => buildEvent("item.created", { id });

describe("after a lost channel", () => {
  test("a redelivery is not counted as a death of this process, and opens no file", async () => {
    const { subscribe, hasFile, begun, end } = gatedConsumer();
    const first = await subscribe();
    const events = [created(1), created(2), created(3)];
    for (const event of events) deliver(first.channel, event);
    first.channel.close();
    const second = await subscribe();
    for (const event of events.slice(1)) deliver(second.channel, event, again);
    await end();
    for (let count = 1; count <= 2; count += 1) await end();
    expect(begun).toEqual([1, 2, 3]);
    expect(second.channel.calls).toEqual(["consume q", "ack 1", "ack 2"]);
    expect(hasFile()).toBe(false);
  });

  test("what comes to another process again may have killed the first one, and is counted", async () => {
    const { subscribe, file } = consumerOn({
      handle: async () => void counted.push(...(await file().transaction.all("SELECT * FROM warren_deaths"))),
    });
    const counted: unknown[] = [];
    const { channel } = await subscribe();
    const event = created(1);
    deliver(channel, event, again);
    await channel.untilAcked(1);
    expect(counted).toEqual([{ id: event.id, count: 1 }]);
  });

  test("repeated redelivery of events that were never begun is not counted either", async () => {
    const { subscribe, hasFile, begun, end } = gatedConsumer();
    const [busy, event] = [created(1), created(2)];
    for (let count = 0; count < 5; count += 1) {
      const { channel } = await subscribe();
      deliver(channel, busy, { redelivered: count > 0 });
      deliver(channel, event, { redelivered: count > 0 });
      channel.close();
    }
    await end();
    const { channel } = await subscribe();
    deliver(channel, event, again);
    await end();
    expect(channel.acked).toHaveLength(1);
    expect(begun.at(-1)).toBe(2);
    expect(hasFile()).toBe(false);
  });

  test("what was handled, but could not be acked any more, is acked without being handled again", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const first = await subscribe();
    const event = created(1);
    deliver(first.channel, event);
    first.channel.close();
    await end();
    const second = await subscribe();
    deliver(second.channel, event, again);
    await settled();
    expect(begun).toEqual([1]);
    expect([first.channel.calls, second.channel.calls]).toEqual([["consume q"], ["consume q", "ack 1"]]);
  });

  test("what had failed is handled again; invariant 3: its copy is confirmed before the ack", async () => {
    const { subscribe, begun, end } = gatedConsumer({ fails: new Reject("never") });
    const first = await subscribe();
    const event = created(1);
    deliver(first.channel, event);
    first.channel.close();
    await end();
    expect(first.channel.published).toEqual([]);
    const second = await subscribe();
    deliver(second.channel, event, again);
    await end();
    const [copy] = await second.channel.untilPublished(1);
    await settled();
    expect(second.channel.acked).toEqual([]);
    copy?.confirm();
    await second.channel.untilAcked(1);
    expect(second.channel.calls).toEqual(["consume q", "publish q.dead", "ack 1"]);
    expect(begun).toEqual([1, 1]);
  });

  test("the same event on purpose, by a replay or as its own retry, is handled", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const first = await subscribe();
    const event = created(1);
    deliver(first.channel, event);
    first.channel.close();
    await end();
    const second = await subscribe();
    deliver(second.channel, event, again, { "x-replay": true });
    // It is handled when its possible death is noted.
    await settled();
    await end();
    deliver(second.channel, event);
    await end();
    expect(begun).toEqual([1, 1, 1]);
    expect(second.channel.calls).toEqual(["consume q", "ack 1", "ack 2"]);
  });

  test("messages that this process never began are not handled from the old channel", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const first = await subscribe();
    for (const id of [1, 2, 3, 4]) deliver(first.channel, created(id));
    first.channel.close();
    await end();
    await end();
    expect(begun).toEqual([1]);
  });

  test("two messages with one messageId are not taken for one", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const first = await subscribe();
    const properties = { messageId: "same for all" };
    const bodies = [created(1), created(2)].map((event) => JSON.stringify(event));
    for (const body of bodies) first.channel.deliver(body, properties);
    first.channel.close();
    await end();
    const second = await subscribe();
    for (const body of [...bodies].reverse()) second.channel.deliver(body, properties, again);
    await end();
    await end();
    expect(new Set(begun)).toEqual(new Set([1, 2]));
  });

  test("what is remembered of it stays small", () => {
    const interrupted = new Interrupted();
    for (let id = 0; id < 1000; id += 1) {
      interrupted.held.add(`${id}`);
      interrupted.handled.set(`${id}`, { action: "ack", result: "handled" });
    }
    interrupted.forgetOldest(100);
    expect([interrupted.held.size, interrupted.handled.size, [...interrupted.held][0]]).toEqual([100, 100, "900"]);
  });
});

test("a queue that is deleted under it is noticed", async () => {
  const { subscribe } = gatedConsumer();
  const { channel, subscription } = await subscribe();
  let cancelled = false;
  void subscription.cancelled.then(() => {
    cancelled = true;
  });
  await settled();
  expect(cancelled).toBe(false);
  channel.deleteQueue();
  await subscription.cancelled;
});
