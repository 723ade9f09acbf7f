// What a relay does about a return, a nack, a closed channel and a log that cannot be read.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { MockChannel, type Published } from "./support/mock-channel";
import { advance, positions, relayOn } from "./support/relay";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const warning = "An event did not reach its queue; it is sent again";

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
    expect([relay.position, routes, at("warn")]).toEqual([1, ["order.created on sales"], [warning]]);
    await advance(100);
    await channel.untilPublished(5);
    expect(positions(channel)).toEqual([1, 2, 3, 2, 3]);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(3);
  });

  test("is sent again even when the route could not be made", async () => {
    const { log, channel, relay, at } = relayOn();
    log.append(1);
    channel.broker = answers(unroutable);
    Object.assign(relay.options, {
      makeRoute: async () => {
        throw new Error("no");
      },
    });
    const running = relay.run(channel, channel.signal);
    await channel.untilPublished(1);
    expect(at("warn")).toEqual([warning, "No queue could be made for an event"]);
    await advance(100);
    await channel.untilPublished(2);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(1);
  });
});

describe("an event that the broker refuses", () => {
  test("is sent again with growing pauses, and one warning for the streak", async () => {
    const { log, channel, relay, run, at, lines } = relayOn();
    log.append(2);
    channel.broker = nack;
    const running = run();
    await channel.untilPublished(2);
    const pauses: unknown[] = [];
    for (let round = 1; round <= 8; round += 1) {
      const pauseMs = lines.at(-1)?.["pauseMs"] as number;
      pauses.push(pauseMs);
      await advance(pauseMs - 1);
      expect(channel.published).toHaveLength(2 * round);
      await advance(1);
      await channel.untilPublished(2 * round + 2);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(at("warn")).toEqual([warning]);
    expect([relay.position, log.saved]).toEqual([0, []]);

    channel.broker = confirm;
    await advance(5000);
    await channel.untilPublished(20);
    expect(relay.position).toBe(2);

    channel.broker = answers(nack);
    log.append(1);
    relay.wake();
    await channel.untilPublished(21);
    expect(at("warn")).toEqual([warning, warning]);
    await advance(100);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(3);
  });

  test("is not sent again while others are still in flight, so that none overtakes", async () => {
    const { log, channel, relay, run } = relayOn();
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
    await advance(100);
    expect(positions(channel)).toEqual([1, 2, 3, 2, 3]);
    await relay.stop(0);
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
    expect(relay.position).toBe(1);

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

  test("under publish itself is a failure like any other", async () => {
    const { log, channel, relay, at } = relayOn();
    log.append(1);
    channel.closed = true;
    const closed = new AbortController();
    const running = relay.run(channel, closed.signal);
    await advance(0);
    expect([at("warn"), relay.position]).toEqual([[warning], 0]);
    closed.abort();
    await running;
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
