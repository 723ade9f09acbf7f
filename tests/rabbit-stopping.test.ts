// A consumer that is told to stop, or pauses while its handler fails: what it has not begun is the queue's again.
import { afterEach, describe, expect, jest, test } from "bun:test";
import { Reject } from "warren/consumer";
import { buildEvent } from "warren/testing";
import { advance, settled } from "./support/settled";
import { consumerOn, deliver, gatedConsumer, mostRequeues } from "./support/subscribed";

afterEach(() => {
  jest.useRealTimers();
});

const again = { redelivered: true };
const created = (id: number) => buildEvent("item.created", { id });

describe("told to stop", () => {
  test("invariant 6: it finishes what is in hand, begins nothing more, and leaves the rest to the queue", async () => {
    const { subscribe, begun, end } = gatedConsumer({ concurrency: 2 });
    const { channel, subscription } = await subscribe();
    for (const id of [1, 2, 3]) deliver(channel, created(id));
    let drained = false;
    const drain = subscription.drain().then(() => {
      drained = true;
    });
    await settled();
    expect([channel.cancelled, drained]).toEqual([["consumer-1"], false]);
    await end();
    await drain;
    expect(begun).toEqual([1, 2]);
    expect(channel.calls).toEqual(["consume q", "cancel consumer-1", "ack 1", "ack 2", "nack 3"]);
  });

  test("invariant 6: it waits for the confirm of a copy", async () => {
    const { channel, subscription } = await consumerOn({ handle: () => Promise.reject(new Reject("never")) }).subscribe();
    deliver(channel, created(1));
    const [copy] = await channel.untilPublished(1);
    let drained = false;
    const drain = subscription.drain().then(() => {
      drained = true;
    });
    await settled();
    expect([drained, channel.acked]).toEqual([false, []]);
    copy?.confirm();
    await drain;
    expect(channel.calls).toEqual(["consume q", "publish q.dead", "cancel consumer-1", "ack 1"]);
  });

  test("it begins nothing more from then on, though the broker takes its time to answer", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const { channel, subscription } = await subscribe();
    const answered = Promise.withResolvers<{ consumerTag: string }>();
    channel.cancel = () => answered.promise;
    for (const id of [1, 2]) deliver(channel, created(id));
    const drain = subscription.drain();
    await end();
    deliver(channel, created(3));
    await end();
    await end();
    answered.resolve({ consumerTag: "consumer-1" });
    await drain;
    expect(begun).toEqual([1]);
  });

  test("it stops on a channel that is gone, and with nothing in hand", async () => {
    const { subscribe } = gatedConsumer();
    const { channel, subscription } = await subscribe();
    channel.close();
    await subscription.drain();
    expect(channel.cancelled).toEqual([]);
  });
});

describe("paused by its breaker", () => {
  /** Fails until it is told otherwise; three failures open its breaker for a second. */
  function fragile() {
    const state = { down: true, calls: 0 };
    const consumer = consumerOn({
      breaker: { minimum: 3, pauseMs: 1000 },
      handle() {
        state.calls += 1;
        if (state.down) throw new Error("down");
      },
    });
    return { ...consumer, state };
  }

  const subscribing = (calls: readonly string[]) => calls.filter((call) => !/^(publish|ack)/.test(call));

  test("it keeps what it has not begun, takes nothing, and takes more when that is done", async () => {
    jest.useFakeTimers();
    const { subscribe, state, hasFile } = fragile();
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    for (const id of [1, 2, 3, 4, 5]) deliver(channel, created(id));
    await settled();
    expect(state.calls).toBe(3);
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1"]);
    await advance(999);
    expect([state.calls, channel.acked.length]).toEqual([3, 3]);
    state.down = false;
    await advance(1);
    await channel.untilAcked(5);
    expect([state.calls, hasFile()]).toEqual([5, true]);
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1", "consume q"]);
  });

  test("it takes more after the pause when it has kept nothing", async () => {
    jest.useFakeTimers();
    const { subscribe } = fragile();
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    for (const id of [1, 2, 3]) deliver(channel, created(id));
    await advance(999);
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1"]);
    await advance(1);
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1", "consume q"]);
  });

  test("it pauses again when the one event that it tries fails, and never holds more than its prefetch", async () => {
    jest.useFakeTimers();
    const { subscribe, state } = fragile();
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    for (const id of [1, 2, 3, 4, 5, 6]) deliver(channel, created(id));
    for (const calls of [4, 5, 6]) {
      await advance(1000);
      expect(state.calls).toBe(calls);
    }
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1"]);
    await advance(1000);
    expect(subscribing(channel.calls)).toEqual(["consume q", "cancel consumer-1", "consume q"]);
  });

  test("it does not resume if it was stopped meanwhile, or if the channel has closed", async () => {
    jest.useFakeTimers();
    for (const end of ["drain", "close"] as const) {
      const { subscribe } = fragile();
      const { channel, subscription } = await subscribe();
      channel.broker = (copy) => copy.confirm();
      for (const id of [1, 2, 3, 4]) deliver(channel, created(id));
      await settled();
      expect(channel.cancelled).toEqual(["consumer-1"]);
      if (end === "drain") await subscription.drain();
      else channel.close();
      await advance(2000);
      expect(channel.consumers.size).toBe(1);
    }
  });

  test("it comes back on a new channel, and waits there for the rest of the pause", async () => {
    jest.useFakeTimers();
    const { subscribe, state } = fragile();
    const first = await subscribe();
    first.channel.broker = (copy) => copy.confirm();
    for (const id of [1, 2, 3]) deliver(first.channel, created(id));
    await advance(500);
    first.channel.close();
    const second = await subscribe();
    deliver(second.channel, created(4));
    state.down = false;
    await advance(499);
    expect(state.calls).toBe(3);
    await advance(2);
    expect(second.channel.acked).toHaveLength(1);
  });
});

describe("a message that the handler has not begun", () => {
  const handlerTimeoutMs = 25 * 60_000;
  const id = (message: { properties: { messageId?: string } }) => message.properties.messageId;

  test("is put at the end of its queue before RabbitMQ loses patience, with all that it came with", async () => {
    jest.useFakeTimers();
    const { subscribe, begun, end } = gatedConsumer({ handlerTimeoutMs });
    const { channel } = await subscribe();
    const [first, second] = [created(1), created(2)];
    deliver(channel, first);
    deliver(channel, second, {}, { "x-attempts": 2, "x-delivery-count": 3 });
    await advance(14 * 60_000);
    expect(channel.published).toEqual([]);
    for (let minute = 0; minute < 3; minute += 1) await advance(60_000);
    const [copy] = channel.published;
    expect(channel.calls).toEqual(["consume q", "publish q"]);
    expect(copy?.options).toMatchObject({ messageId: second.id, persistent: true, headers: { "x-attempts": 2 } });
    copy?.confirm();
    await channel.untilAcked(1);
    expect(channel.acked.map(id)).toEqual([second.id]);
    await end();
    expect([begun, channel.acked.map(id)]).toEqual([[1], [second.id, first.id]]);
  });

  test("stays with the consumer when its queue takes no copy", async () => {
    jest.useFakeTimers();
    const { subscribe, begun, end } = gatedConsumer({ handlerTimeoutMs });
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.nack();
    for (const item of [1, 2]) deliver(channel, created(item));
    for (let minute = 0; minute < 17; minute += 1) await advance(60_000);
    expect(channel.acked).toEqual([]);
    await end();
    await end();
    expect([begun, channel.acked.length]).toEqual([[1, 2], 2]);
  });

  test("is put back at a stop if RabbitMQ has delivered it often, and else left in its place", async () => {
    const { subscribe, begun, end } = gatedConsumer();
    const { channel, subscription } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    deliver(channel, created(1));
    deliver(channel, created(2), again, { "x-delivery-count": mostRequeues - 1 });
    const requeued = created(3);
    deliver(channel, requeued, again, { "x-delivery-count": mostRequeues });
    const drain = subscription.drain();
    await end();
    await drain;
    expect(begun).toEqual([1]);
    expect(channel.calls).toEqual(["consume q", "cancel consumer-1", "publish q", "ack 3", "ack 1", "nack 2"]);
    expect(channel.published[0]?.options.messageId).toBe(requeued.id);
  });
});
