// A consumer that is told to stop, or pauses while its handler fails: what it has not begun is the queue's again.
import { afterEach, describe, expect, jest, test } from "bun:test";
import { Reject } from "warren/consumer";
import { buildEvent } from "warren/testing";
import { settled } from "./support/settled";
import { consumerOn, deliver, gatedConsumer } from "./support/subscribed";

afterEach(() => {
  jest.useRealTimers();
});

async function advance(ms: number): Promise<void> {
  await settled();
  jest.advanceTimersByTime(ms);
  await settled();
}

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
    // Unacknowledged, the third one is the queue's again when the channel closes.
    expect(channel.calls).toEqual(["consume q", "cancel consumer-1", "ack 1", "ack 2"]);
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

  test("it gives back what it has not begun, takes nothing, and comes back after the pause; that is no death", async () => {
    jest.useFakeTimers();
    const { subscribe, state, file } = fragile();
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    const events = [1, 2, 3, 4, 5].map(created);
    for (const event of events) deliver(channel, event);
    await settled();
    expect(state.calls).toBe(3);
    expect(channel.calls.filter((call) => !call.startsWith("publish"))).toEqual([
      "consume q",
      "cancel consumer-1",
      "nack 4",
      "nack 5",
      "ack 1",
      "ack 2",
      // Its copy was still on its way.
      "ack 3",
    ]);
    expect(channel.nacked.map(({ requeue }) => requeue)).toEqual([true, true]);
    await advance(999);
    expect(channel.consumers.size).toBe(1);
    state.down = false;
    await advance(1);
    expect([...channel.consumers.keys()]).toEqual(["consumer-1", "consumer-2"]);
    for (const event of events.slice(3)) deliver(channel, event, again);
    await channel.untilAcked(5);
    expect([state.calls, file().transaction.all("SELECT * FROM warren_deaths")]).toEqual([5, []]);
  });

  test("it pauses again when the one event that it tries fails", async () => {
    jest.useFakeTimers();
    const { subscribe, state } = fragile();
    const { channel } = await subscribe();
    channel.broker = (copy) => copy.confirm();
    for (const id of [1, 2, 3]) deliver(channel, created(id));
    await advance(1000);
    for (const id of [4, 5, 6]) deliver(channel, created(id), again);
    await settled();
    expect(state.calls).toBe(4);
    expect(channel.nacked).toHaveLength(2);
    await advance(1000);
    expect(channel.calls.filter((call) => /^c/.test(call))).toEqual([
      "consume q",
      "cancel consumer-1",
      "consume q",
      "cancel consumer-2",
      "consume q",
    ]);
  });

  test("it does not come back when it was told to stop meanwhile, or when the channel has gone", async () => {
    jest.useFakeTimers();
    for (const end of ["drain", "close"] as const) {
      const { subscribe } = fragile();
      const { channel, subscription } = await subscribe();
      channel.broker = (copy) => copy.confirm();
      for (const id of [1, 2, 3, 4]) deliver(channel, created(id));
      await settled();
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
