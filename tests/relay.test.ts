// The relay: the way from the event log to the broker, and the position that it reports.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { MemoryLog } from "./support/memory-log";
import { MockChannel } from "./support/mock-channel";
import { positions, relayOn } from "./support/relay";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index + 1);

describe("sending", () => {
  test("goes in the order of the log, each event once, each to the exchange of its resource", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(600);
    log.append(1, { type: "order.created" });
    channel.broker = (message) => message.confirm();
    const running = run();
    await channel.untilPublished(601);
    expect(positions(channel)).toEqual(upTo(601));
    expect(channel.published.map(({ exchange }) => exchange).slice(-2)).toEqual(["events", "sales"]);
    expect(channel.published.at(-1)).toMatchObject({ routingKey: "order.created", options: { mandatory: true, persistent: true } });
    await relay.stop(1000);
    await running;
  });

  test("passes over events whose data was erased, and its position with it", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(2);
    log.append(1, { type: "erased" });
    log.append(1);
    log.append(2, { type: "erased" });
    channel.broker = (message) => message.confirm();
    const running = run();
    await channel.untilPublished(3);
    expect(positions(channel)).toEqual([1, 2, 4]);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(6);
  });

  test("begins when it is woken, and misses no event that comes while it is at work", async () => {
    const { log, channel, relay, run } = relayOn();
    channel.broker = (message) => {
      message.confirm();
      // A commit at the worst moment: while the relay looks for more.
      if (log.entries.length < 50) {
        log.append(1);
        relay.wake();
      }
    };
    const running = run();
    await settled();
    expect(channel.published).toHaveLength(0);
    log.append(1);
    relay.wake();
    await channel.untilPublished(50);
    expect(positions(channel)).toEqual(upTo(50));
    await relay.stop(1000);
    await running;
  });

  test.each([
    ["goes out in whole batches from a log that does not grow", false, [256, 256, 88]],
    ["lets requests have their turn after each 64 events while changes come", true, [...new Array(9).fill(64), 24]],
  ])("%s", async (_, changesCome, expected) => {
    const { log, channel, relay, run } = relayOn();
    log.append(600);
    const sent: number[] = [];
    let isOpen = false;
    channel.on("published", () => {
      if (!isOpen) {
        isOpen = true;
        sent.push(0);
        setImmediate(() => {
          isOpen = false;
          if (changesCome) relay.wake();
        });
      }
      sent.push((sent.pop() as number) + 1);
    });
    if (changesCome) relay.wake();
    const running = run();
    await channel.untilPublished(600);
    expect(sent).toEqual(expected);
    await relay.stop(0);
    await running;
  });

  test("goes on from the stored position after a restart", async () => {
    const log = new MemoryLog();
    log.append(5);
    log.stored = 3;
    const { channel, relay, run } = relayOn(log);
    expect(await relay.position()).toBe(3);
    channel.broker = (message) => message.confirm();
    const running = run();
    await channel.untilPublished(2);
    expect(positions(channel)).toEqual([4, 5]);
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(5);
  });
});

describe("the position", () => {
  test("invariant 2: an event counts as published only after the broker's confirm", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(3);
    const running = run();
    await channel.untilPublished(3);
    await advance(1000);
    expect([await relay.position(), log.saved]).toEqual([0, []]);
    channel.published[0]?.confirm();
    await advance(1000);
    expect([await relay.position(), log.saved]).toEqual([1, [1]]);
    await relay.stop(0);
    await running;
    expect(log.stored).toBe(1);
    expect([relay.tally.confirms, relay.tally.seconds.counts.reduce((sum, count) => sum + count)]).toEqual([1, 1]);
  });

  test("invariant 2, property: confirms in any order move it, and what is stored, along the contiguous prefix only", async () => {
    const order = fc.integer({ min: 1, max: 30 }).chain((count) => fc.shuffledSubarray(upTo(count), { minLength: count }));
    await fc.assert(
      fc.asyncProperty(order, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), async (order, pauses) => {
        const { log, channel, relay, run } = relayOn();
        log.append(order.length);
        const running = run();
        await channel.untilPublished(order.length);
        const confirmed = new Set<number>();
        for (const [turn, position] of order.entries()) {
          channel.published[position - 1]?.confirm();
          confirmed.add(position);
          if (pauses[turn]) await advance(20);
          else await settled();
          const gap = upTo(order.length).find((each) => !confirmed.has(each)) ?? order.length + 1;
          expect(await relay.position()).toBe(gap - 1);
          expect(log.stored).toBeLessThan(gap);
        }
        await relay.stop(1000);
        await running;
        expect(log.stored).toBe(order.length);
        expect(log.saved).toEqual(log.saved.toSorted((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  test("is stored now and then, and not for each confirm", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(500);
    channel.broker = (message) => message.confirm();
    const running = run();
    await channel.untilPublished(500);
    await advance(20);
    expect(log.saved).toEqual([500]);
    await relay.stop(1000);
    await running;
    expect(log.saved).toEqual([500]);
  });

  test("that cannot be stored is a warning; it is stored with the next, or at the stop", async () => {
    const { log, channel, relay, run, at } = relayOn();
    channel.broker = (message) => message.confirm();
    log.saveTrouble = new Error("disk full");
    log.append(1);
    const running = run();
    await channel.untilPublished(1);
    await advance(20);
    expect(at("warn")).toEqual(["Cannot store the relay's position; events may be sent twice"]);
    log.saveTrouble = undefined;
    log.append(1);
    relay.wake();
    await channel.untilPublished(2);
    await advance(20);
    expect(log.saved).toEqual([2]);
    await relay.stop(1000);
    await running;
  });
});

describe("a broker that does not answer", () => {
  test("gets a bounded window of events, however long the log is", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(5000);
    const running = run();
    await channel.untilPublished(1024);
    await advance(60_000);
    expect(channel.published).toHaveLength(1024);
    for (const message of channel.published.slice(10, 20)) message.confirm();
    await advance(0);
    expect(channel.published).toHaveLength(1034);
    await relay.stop(0);
    await running;
    expect(log.stored).toBe(0);
  });

  test("gets a bounded number of bytes, too", async () => {
    const { log, channel, relay, run } = relayOn();
    const mebibyte = 1024 * 1024;
    log.append(40, { bytes: mebibyte });
    const running = run();
    await channel.untilPublished(16);
    await advance(0);
    expect(channel.published).toHaveLength(16);
    channel.published[0]?.confirm();
    await advance(0);
    expect(positions(channel)).toEqual(upTo(17));
    channel.broker = (message) => message.confirm();
    for (const message of channel.published.slice(1)) message.confirm();
    await channel.untilPublished(40);
    expect(positions(channel)).toEqual(upTo(40));
    await relay.stop(1000);
    await running;
    expect(log.stored).toBe(40);
  });

  test("whose socket is full gets nothing more until it drains", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(1000);
    channel.full = true;
    const running = run();
    await channel.untilPublished(1);
    await advance(1000);
    const taken = channel.published.length;
    expect(taken).toBeLessThan(1000);
    channel.drain();
    await channel.untilPublished(1000);
    expect(positions(channel)).toEqual(upTo(1000));
    await relay.stop(0);
    await running;
  });
});

describe("stop", () => {
  test("invariant 6: awaits the confirms of everything in the log, then stores the position", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(3);
    const running = run();
    await channel.untilPublished(3);
    let stopped = false;
    const stopping = relay.stop(5000).then(() => {
      stopped = true;
    });
    await advance(4000);
    for (const message of channel.published.slice(0, 2)) message.confirm();
    await advance(0);
    expect(stopped).toBe(false);
    channel.published[2]?.confirm();
    await stopping;
    await running;
    expect(log.stored).toBe(3);
  });

  test("gives up after its timeout, and stores how far the confirms came", async () => {
    const { log, channel, relay, run } = relayOn();
    log.append(3);
    const running = run();
    await channel.untilPublished(3);
    channel.published[0]?.confirm();
    channel.published[2]?.confirm();
    const stopping = relay.stop(5000);
    await advance(4999);
    await advance(1);
    await stopping;
    await running;
    expect(log.stored).toBe(1);
  });

  test("of a relay that never had a broker stores nothing", async () => {
    const { log, relay } = relayOn();
    log.append(1);
    await relay.stop(0);
    expect(log.saved).toEqual([]);
  });

  test("sends nothing more, whatever comes", async () => {
    const { log, channel, relay, run } = relayOn();
    channel.broker = (message) => message.confirm();
    const running = run();
    await relay.stop(0);
    log.append(1);
    relay.wake();
    await running;
    await run(new MockChannel());
    await settled();
    expect(channel.published).toHaveLength(0);
  });
});
