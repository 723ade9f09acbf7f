// The relay and a queue that refuses events when it is full: their order, and how long the refusal is named.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import fc from "fast-check";
import type { ConfirmChannel } from "../src/rabbitmq/connection";
import { QueueSender } from "../src/rabbitmq/queue-sender";
import { waryMs } from "../src/rabbitmq/refused-events";
import { MemoryLog } from "./support/memory-log";
import { MockChannel, type Published } from "./support/mock-channel";
import { positions, relayOn } from "./support/relay";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const confirm = (message: Published) => message.confirm();
const nack = (message: Published) => message.nack();
const unanswered = (channel: MockChannel) => channel.published.filter(({ answered }) => !answered);

/** A queue "full" beside others that take everything. Its consumer takes a message away after each of these numbers of publishes. */
function fullQueue(length: number, takesAfter: () => number) {
  const taken: number[] = [];
  let [ready, left] = [0, takesAfter()];
  const broker = (message: Published) => {
    const isForQueue = message.exchange !== "" || message.routingKey === "full";
    const isFull = isForQueue && ready >= length;
    if (isForQueue && !isFull) {
      ready += 1;
      taken.push(Number(String(message.options.messageId).replace("event-", "")));
    }
    left -= 1;
    if (left <= 0) {
      ready = Math.max(0, ready - 1);
      left = takesAfter();
    }
    if (isFull) message.nack();
    else message.confirm();
  };
  /** The positions of the events in the order in which the queue got them first. */
  return { broker, taken, first: () => [...new Set(taken)] };
}
/** Numbers of publishes between two that the consumer takes away. */
const pace = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 });
const repeating = (list: readonly number[]) => {
  let at = 0;
  return () => list[at++ % list.length] as number;
};

async function send(events: number, queue: ReturnType<typeof fullQueue>, late: boolean) {
  const { log, channel, relay, run } = relayOn(undefined, { known: ["other", "full"], limited: ["full"], late });
  log.append(events);
  channel.broker = queue.broker;
  const running = run();
  while ((await relay.position()) < events) await advance(5000);
  await relay.stop(0);
  await running;
}
const upTo = (events: number) => Array.from({ length: events }, (_, index) => index + 1);

describe("a queue that is full", () => {
  test("gets all events in order while its consumer takes some away, if its limit is known", async () => {
    await fc.assert(
      fc.asyncProperty(pace, async (paces) => {
        const queue = fullQueue(5, repeating(paces));
        await send(40, queue, false);
        expect(queue.first()).toEqual(upTo(40));
      }),
      { numRuns: 30 },
    );
  });

  test("gets all events in order after those in flight at its first refusal, if its limit is not known", async () => {
    await fc.assert(
      fc.asyncProperty(pace, async (paces) => {
        const queue = fullQueue(5, repeating(paces));
        await send(300, queue, true);
        expect(queue.first().toSorted((a, b) => a - b)).toEqual(upTo(300));
        // The relay sends at most a batch at once.
        expect(queue.first().filter((position) => position > 256)).toEqual(upTo(300).slice(256));
      }),
      { numRuns: 10 },
    );
  });
});

describe("a quorum queue without a limit", () => {
  const unlimited = { known: ["other", "quorum"], unlimited: ["quorum"] };
  /** Refuses what goes to the queue "quorum", directly or by the exchange. */
  const leaderless = (message: Published) => (message.routingKey === "other" ? message.confirm() : message.nack());

  test("gets one event at a time until one is confirmed on the channel, since it refuses until it has a leader", async () => {
    const { log, channel, relay, run } = relayOn(undefined, unlimited);
    log.append(10);
    const running = run();
    await advance(0);
    expect(channel.published).toHaveLength(1);
    channel.published[0]?.confirm();
    await advance(0);
    expect(channel.published).toHaveLength(10);
    await relay.stop(0);
    await running;
  });

  test("that takes nothing on a channel gets the event on another one, and the relay a new channel", async () => {
    const { log, channel, newChannel, relay, refusals, run } = relayOn(undefined, unlimited);
    log.append(300);
    channel.broker = leaderless;
    newChannel.broker = confirm;
    // The run ends by itself, so that the channel is opened again.
    await run();
    expect(channel.published.map(({ exchange, routingKey }) => exchange || routingKey)).toEqual(["events", "other", "quorum"]);
    expect(newChannel.published.map(({ routingKey }) => routingKey)).toEqual(["quorum"]);
    expect([await relay.position(), refusals]).toEqual([1, []]);
    const next = new MockChannel();
    next.broker = confirm;
    const running = run(next);
    await advance(0);
    // Many are in flight again: the queue was not full.
    expect(positions(next)).toEqual(upTo(300).slice(1));
    await relay.stop(0);
    await running;
  });

  test("that has no leader is named until it has one, while others get nothing twice", async () => {
    const { log, channel, newChannel, relay, refusals, at, run } = relayOn(undefined, unlimited);
    log.append(3);
    channel.broker = leaderless;
    newChannel.broker = nack;
    const running = run();
    await advance(60_000);
    expect(refusals).toMatchObject([{ queue: "quorum", reason: "too few of its nodes run, so it has no leader" }]);
    newChannel.broker = confirm;
    await advance(5_000);
    await running;
    expect(channel.published.filter(({ routingKey }) => routingKey === "other")).toHaveLength(1);
    const next = new MockChannel();
    next.broker = confirm;
    const rest = run(next);
    await advance(0);
    expect([positions(next), refusals.at(-1), at("info")]).toEqual([[2, 3], null, ["The queue accepts events again"]]);
    await relay.stop(0);
    await rest;
  });
});

describe("a replay or a fill to a queue that is full", () => {
  /** Sends 40 events, on as many channels as it takes. */
  async function replay(queue: ReturnType<typeof fullQueue>, hasLimit: boolean): Promise<void> {
    const log = new MemoryLog();
    log.append(40);
    const selection = { types: null, subject: null, from: null, to: null, rate: null, force: false };
    const handlers = { hasLimit: async () => hasLimit, onProgress() {}, onRefused: () => expect.unreachable() };
    const options = { log, queue: "full", selection, marked: true, quarantine: "nowhere", ...handlers };
    const sender = new QueueSender(options, { position: 0, sent: 0, refused: 0 });
    while (sender.soFar.position < 40) {
      // The broker replies later, so that several events can be in flight.
      const channel = Object.assign(new MockChannel(), { broker: (message: Published) => void setImmediate(() => queue.broker(message)) });
      await sender.sendUpTo(40, channel as unknown as ConfirmChannel, channel.signal).catch((error: unknown) => {
        expect(String(error)).toBe('QueueRefuses: The queue "full" refuses events, such as when it is full');
      });
    }
  }

  test("sends all events in order, if its limit is known", async () => {
    await fc.assert(
      fc.asyncProperty(pace, async (paces) => {
        const queue = fullQueue(5, repeating(paces));
        await replay(queue, true);
        expect(queue.first()).toEqual(upTo(40));
        // Nothing came twice.
        expect(queue.taken).toEqual(upTo(40));
      }),
      { numRuns: 30 },
    );
  });

  test("sends those in flight at the first refusal again in order, and one at a time from then on, if its limit is not known", async () => {
    const queue = fullQueue(5, () => 4);
    await replay(queue, false);
    const inFlight = [1, 2, 3, 4, 5, 6, 9, 13, 17, 21, 25, 29, 33, 37];
    expect(queue.taken).toEqual([...inFlight, ...upTo(40).slice(6)]);
  });
});

describe("after a refusal, one event is in flight", () => {
  test("also when everything was confirmed, and on the next channel, until none was refused for ten minutes", async () => {
    const { log, channel, relay, run } = relayOn(undefined, { known: ["full"] });
    let nacks = 1;
    channel.broker = (message) => (nacks-- > 0 ? nack(message) : confirm(message));
    log.append(1);
    const running = run();
    while ((await relay.position()) < 1) await advance(100);
    const refusedAt = performance.now();
    channel.broker = undefined;
    log.append(10);
    relay.wake();
    await settled();
    expect(positions(channel).at(-1)).toBe(2);
    expect(unanswered(channel)).toHaveLength(1);
    unanswered(channel)[0]?.confirm();
    await settled();
    expect(positions(channel).at(-1)).toBe(3);
    expect(unanswered(channel)).toHaveLength(1);
    channel.close();
    await running;

    const next = new MockChannel();
    const again = run(next);
    await next.untilPublished(1);
    expect(positions(next)).toEqual([3]);
    await advance(waryMs - (performance.now() - refusedAt));
    unanswered(next)[0]?.confirm();
    await settled();
    expect(unanswered(next)).toHaveLength(8);
    next.broker = confirm;
    await relay.stop(0);
    next.close();
    await again;
  });
});

describe("a refusal", () => {
  const accepts = "The queue accepts events again";

  test("is named until its event is accepted, also on the channels after it", async () => {
    const { log, channel, relay, run, refusals, at } = relayOn(undefined, { known: ["full"], limited: ["full"] });
    log.append(3);
    channel.broker = nack;
    const running = run();
    await channel.untilPublished(2);
    await advance(100);
    expect(refusals).toMatchObject([{ queue: "full" }]);
    channel.close();
    await running;

    const silent = new MockChannel();
    const waiting = run(silent);
    await silent.untilPublished(1);
    await advance(waryMs);
    expect([refusals.length, at("info")]).toEqual([1, []]);
    silent.close();
    await waiting;

    const last = new MockChannel();
    const ending = run(last);
    await last.untilPublished(1);
    last.published[0]?.confirm();
    await settled();
    expect([refusals.at(-1), at("info"), await relay.position()]).toEqual([null, [accepts], 1]);
    await relay.stop(0);
    last.close();
    await ending;
  });

  test("ends ten minutes after the last one, also while the log never comes to its end", async () => {
    const { log, channel, relay, run, refusals, at } = relayOn(undefined, { known: ["full"], limited: ["full"] });
    log.append(4);
    channel.broker = nack;
    const running = run();
    await channel.untilPublished(2);
    await advance(100);
    channel.broker = undefined;
    await advance(200);
    unanswered(channel)[0]?.confirm();
    await settled();
    expect(await relay.position()).toBe(1);
    await advance(waryMs - 1);
    unanswered(channel)[0]?.confirm();
    await settled();
    expect([await relay.position(), refusals.length]).toEqual([2, 1]);
    await advance(1);
    unanswered(channel)[0]?.confirm();
    await settled();
    expect([await relay.position(), refusals.at(-1), at("info")]).toEqual([3, null, [accepts]]);
    await relay.stop(0);
    channel.close();
    await running;
  });
});
