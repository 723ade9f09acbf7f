// The relay after a return, a nack, a closed channel and a log that cannot be read.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { soleLeadership } from "../src/store/leadership";
import { MockChannel, type Published } from "./support/mock-channel";
import { positions, relayOn } from "./support/relay";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const warning = "An event did not reach its queue; sending it again";

/** Answers each message with the next of these, and confirms when they are used up. */
function answers(...list: readonly ((message: Published) => void)[]): (message: Published) => void {
  const left = [...list];
  return (message) => (left.shift() ?? ((last) => last.confirm()))(message);
}
const confirm = (message: Published) => message.confirm();
const nack = (message: Published) => message.nack();
const unroutable = (message: Published) => message.return();

describe("an event that no queue takes", () => {
  test("gets a route, and is sent again with everything after it", async () => {
    const { log, channel, relay, run, routes, at } = relayOn();
    log.append(1);
    log.append(1, { type: "order.created" });
    log.append(1);
    channel.broker = answers(confirm, unroutable, confirm);
    const running = run();
    await channel.untilPublished(3);
    expect([await relay.position(), routes, at("warn")]).toEqual([1, ["order.created on sales"], [warning]]);
    await advance(100);
    await channel.untilPublished(5);
    expect(positions(channel)).toEqual([1, 2, 3, 2, 3]);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(3);
  });

  test("is sent again even when the route could not be made", async () => {
    const { log, channel, relay, run, at } = relayOn();
    log.append(1);
    channel.broker = answers(unroutable);
    Object.assign(relay.options, {
      makeRoute: async () => {
        throw new Error("no");
      },
    });
    const running = run();
    await channel.untilPublished(1);
    expect(at("warn")).toEqual([warning, "Cannot create a queue for an event"]);
    await advance(100);
    await channel.untilPublished(2);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(1);
  });
});

/** Returns the destination of each message: its position and exchange, such as `1 events`, or its queue. */
const places = (channel: MockChannel) =>
  channel.published.map(({ exchange, routingKey }, index) => `${positions(channel)[index]} ${exchange || routingKey}`);
const refusedBy = (queue: string) => (message: Published) =>
  message.exchange !== "" || message.routingKey === queue ? message.nack() : message.confirm();
const warned = "A queue refuses events; waiting until it accepts them";

describe("an event that a queue refuses", () => {
  test("goes to each queue directly, and then with growing pauses to that queue only", async () => {
    const { log, channel, relay, run, at, lines, refusals } = relayOn(undefined, {
      ...{ known: ["a", "full", "b"], limited: ["full"], late: true },
    });
    log.append(3);
    channel.broker = refusedBy("full");
    const running = run();
    await channel.untilPublished(3);
    await advance(0);
    expect(places(channel)).toEqual(["1 events", "2 events", "3 events", "1 a", "1 full", "1 b"]);
    for (const pauseMs of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
      const before = channel.published.length;
      await advance(pauseMs - 2);
      expect(channel.published).toHaveLength(before);
      await advance(2);
      expect(places(channel).slice(before)).toEqual(["1 full"]);
    }
    expect(at("warn")).toEqual([warned]);
    expect(lines.find(({ msg }) => msg === warned)).toMatchObject({
      queue: "full",
      reason: "it is full (x-max-length 5)",
      event: "event-1",
    });
    expect(refusals).toMatchObject([{ queue: "full" }]);
    expect(await relay.position()).toBe(0);

    channel.broker = confirm;
    await advance(5000);
    await settled();
    expect(places(channel).slice(14)).toEqual(["1 full", "2 a", "2 full", "2 b", "3 a", "3 full", "3 b"]);
    expect([await relay.position(), refusals.at(-1)]).toEqual([3, null]);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(3);
  });

  test("costs the others one duplicate where a queue with a limit has room again by then", async () => {
    const { log, channel, relay, run, at } = relayOn(undefined, { known: ["a", "full"], limited: ["full"] });
    log.append(2);
    channel.broker = answers(confirm, nack);
    const running = run();
    await channel.untilPublished(2);
    await advance(0);
    expect(places(channel)).toEqual(["1 events", "2 events", "2 a", "2 full"]);
    expect([await relay.position(), at("warn")]).toEqual([2, []]);
    await relay.stop(0);
    await running;
  });

  test("is sent to all again, alone and with growing pauses, where no known queue refuses it", async () => {
    const { log, channel, newChannel, relay, run, at } = relayOn(undefined, { known: ["a"] });
    log.append(2);
    channel.broker = refusedBy("a queue of somebody else");
    newChannel.broker = channel.broker;
    const running = run();
    await channel.untilPublished(2);
    await advance(0);
    const sent = () => channel.published.length + newChannel.published.length;
    for (const pauseMs of [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]) {
      const before = sent();
      await advance(pauseMs - 2);
      expect(sent()).toBe(before);
      await advance(2);
      expect(sent()).toBe(before + 1);
    }
    // After the first time each on a new channel: RabbitMQ 3 may refuse whatever comes on this one.
    expect(places(channel)).toEqual(["1 events", "2 events", "1 a", "1 events"]);
    expect(new Set(places(newChannel))).toEqual(new Set(["1 events"]));
    expect(at("warn")).toEqual([warned]);
    newChannel.broker = confirm;
    await advance(60_000);
    await running;
    expect(await relay.position()).toBe(1);
    const next = new MockChannel();
    next.broker = confirm;
    const rest = run(next);
    await advance(0);
    expect([positions(next), await relay.position()]).toEqual([[2], 2]);
    await relay.stop(0);
    await rest;
  });

  test("waits for what is in flight", async () => {
    const { log, channel, relay, run } = relayOn(undefined, { known: ["a"], limited: ["a"], late: true });
    log.append(3);
    const running = run();
    await channel.untilPublished(3);
    channel.published[1]?.nack();
    await advance(1000);
    channel.published[0]?.confirm();
    await advance(1000);
    expect(channel.published).toHaveLength(3);
    channel.published[2]?.confirm();
    await advance(0);
    expect(places(channel).slice(3)).toEqual(["2 a"]);
    await relay.stop(0);
    channel.close();
    await running;
    expect(log.stored).toBe(1);
  });

  test("does not keep the relay from stopping in the pause", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(1);
    channel.broker = nack;
    const running = run();
    await channel.untilPublished(1);
    await relay.stop(0);
    await running;
    expect(log.saved).toEqual([]);
  });
});

describe("a channel that closes", () => {
  test("ends the run; the next channel gets everything that was not confirmed", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(4);
    const running = run();
    await channel.untilPublished(4);
    channel.published[0]?.confirm();
    channel.published[2]?.confirm();
    await advance(0);
    channel.close();
    await running;
    expect(await relay.position()).toBe(1);

    const next = new MockChannel();
    next.broker = confirm;
    const again = run(next);
    await next.untilPublished(3);
    expect(positions(next)).toEqual([2, 3, 4]);
    await relay.stop(1000);
    await again;
    expect(log.stored).toBe(4);
  });

  test("while nothing is in flight ends the run, too", async () => {
    const { channel, run } = relayOn();
    const running = run();
    await advance(0);
    channel.close();
    await running;
  });

  test("in the pause after a failure ends the run at once: a new channel need not wait for it", async () => {
    const { log, channel, run } = relayOn();
    log.append(1);
    channel.broker = nack;
    const running = run();
    await channel.untilPublished(1);
    channel.close();
    // The clock stands still, so only the close can end it.
    await running;
  });

  test("during publish is not a refusal", async () => {
    const { log, channel, relay, at } = relayOn();
    log.append(1);
    channel.closed = true;
    const closed = new AbortController();
    const running = relay.run(channel, soleLeadership(closed.signal));
    await advance(0);
    closed.abort();
    await running;
    expect([at("warn"), await relay.position()]).toEqual([[], 0]);
  });
});

test("a log that cannot be read is tried again, and no event is left out", async () => {
  const { log, channel, relay, run, at } = relayOn();
  channel.broker = confirm;
  log.append(2);
  log.readTrouble = new Error("disk trouble");
  const running = run();
  await advance(0);
  expect([at("warn"), channel.published.length]).toEqual([[warning], 0]);
  await advance(100);
  await channel.untilPublished(2);
  await relay.stop(1000);
  await running;
  expect([positions(channel), log.stored]).toEqual([[1, 2], 2]);
});
