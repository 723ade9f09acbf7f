// Events that the relay gets from the commit, and those that it reads from the log: RabbitMQ gets each of them, in the order of the log.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { MemoryLog } from "./support/memory-log";
import { MockChannel, type Published } from "./support/mock-channel";
import { positions, relayOn } from "./support/relay";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index + 1);
const confirm = (message: Published) => message.confirm();

/** A relay that waits at the end of a log of five events. */
async function atTheEnd() {
  const all = relayOn();
  all.log.append(5);
  all.channel.broker = confirm;
  const running = all.run();
  await all.channel.untilPublished(5);
  await settled();
  all.log.reads = 0;
  return { ...all, running };
}

test("events of commits are sent without a read", async () => {
  const { log, channel, relay, running } = await atTheEnd();
  for (const count of [1, 300, 2]) {
    relay.wake(log.append(count));
    await settled();
  }
  await channel.untilPublished(308);
  expect([positions(channel), log.reads]).toEqual([upTo(308), 0]);
  await relay.stop(1000);
  await running;
  expect(log.stored).toBe(308);
});

test("what was committed by another process, or is not known, is read before what follows", async () => {
  const { log, channel, relay, running } = await atTheEnd();
  log.append(3);
  relay.wake(log.append(2));
  await settled();
  expect(positions(channel)).toEqual(upTo(10));
  log.append(3);
  relay.wake();
  relay.wake(log.append(1));
  await settled();
  expect(positions(channel)).toEqual(upTo(14));
  relay.wake(log.append(1));
  await settled();
  expect(positions(channel)).toEqual(upTo(15));
  await relay.stop(1000);
  await running;
});

test("an event that was erased before it was sent is read as what is left of it", async () => {
  const { log, channel, relay, running } = await atTheEnd();
  let isPaused = true;
  const paused = relay.whilePaused(async () => {
    relay.wake(log.append(1));
    log.entries[5] = { ...(log.entries[5] as (typeof log.entries)[number]), type: "erased" };
    log.append(1);
    // The commit of the erasure.
    relay.wake(undefined);
    isPaused = false;
  }, new AbortController().signal);
  await paused;
  await settled();
  expect(isPaused).toBe(false);
  expect(positions(channel)).toEqual([...upTo(5), 7]);
  await relay.stop(1000);
  await running;
});

describe("a failure", () => {
  test("of one event makes everything after it come from the log again", async () => {
    const { log, channel, relay, running, at } = await atTheEnd();
    channel.broker = (message) => (message.options.messageId === "event-7" ? message.return() : message.confirm());
    relay.wake(log.append(3));
    await settled();
    relay.wake(log.append(1));
    await settled();
    expect(at("warn")).toHaveLength(1);
    channel.broker = confirm;
    await advance(100);
    await settled();
    expect(new Set(positions(channel))).toEqual(new Set(upTo(9)));
    expect(await relay.position()).toBe(9);
    await relay.stop(1000);
    await running;
  });

  test("of the channel: the next one gets from the log what was not confirmed, and what came meanwhile", async () => {
    const { log, channel, relay, run, running } = await atTheEnd();
    channel.broker = undefined;
    relay.wake(log.append(2));
    await settled();
    channel.close();
    await running;
    relay.wake(log.append(2000));
    expect(relay.pace.enter()).toBeUndefined();
    const next = new MockChannel();
    next.broker = confirm;
    const again = run(next);
    await next.untilPublished(2002);
    relay.wake(log.append(1));
    await next.untilPublished(2003);
    expect(positions(next)).toEqual(upTo(2008).slice(5));
    await relay.stop(1000);
    await again;
    expect(log.stored).toBe(2008);
  });
});

test("a relay that is behind reads the log until it has caught up", async () => {
  const log = new MemoryLog();
  log.append(1000);
  const { channel, relay, run } = relayOn(log);
  channel.broker = (message) => {
    message.confirm();
    if (log.entries.length < 3000) relay.wake(log.append(10));
  };
  const running = run();
  await channel.untilPublished(3000);
  expect(positions(channel)).toEqual(upTo(3000));
  await relay.stop(1000);
  await running;
});

test("a broker that takes nothing leaves no more in memory than what is bounded", async () => {
  const { log, channel, relay, running } = await atTheEnd();
  channel.broker = undefined;
  for (let n = 0; n < 20; n += 1) relay.wake(log.append(1000));
  await settled();
  expect(channel.published).toHaveLength(5 + 1024);
  channel.broker = confirm;
  for (const message of channel.published.slice(5)) message.confirm();
  await channel.untilPublished(20_005);
  // What was too much to keep was read.
  expect(log.reads).toBeGreaterThan(10);
  expect(positions(channel)).toEqual(upTo(20_005));
  await relay.stop(1000);
  await running;
});

test("a queue that may refuse events gets one at a time, and slows no request down", async () => {
  const { log, channel, relay, run } = relayOn(new MemoryLog(), { known: ["events"], limited: ["events"] });
  const running = run();
  relay.wake(log.append(500));
  for (let turn = 0; turn < 40; turn += 1) {
    await advance(10);
    for (const message of channel.published.filter(({ answered }) => !answered)) message.confirm();
  }
  await settled();
  expect(channel.published.length).toBeLessThan(100);
  expect(relay.pace.backlog).toBeGreaterThan(400);
  relay.wake(log.append(500));
  expect(relay.pace.enter()).toBeUndefined();
  channel.close();
  await running;
  await relay.stop(0);
});

test("requests are slowed down by the events that RabbitMQ has not confirmed, and by none while it is away", async () => {
  const { log, channel, relay, running } = await atTheEnd();
  channel.broker = undefined;
  relay.wake(log.append(3000));
  for (let turn = 0; turn < 30; turn += 1) {
    await advance(10);
    for (const message of channel.published.filter(({ answered }) => !answered).slice(0, 10)) message.confirm();
  }
  // 1,000 in a second, and 2,700 wait. Those that came before that was known may be some more.
  relay.wake(log.append(300));
  const turn = relay.pace.enter();
  expect(turn).toBeInstanceOf(Promise);
  channel.close();
  await running;
  await turn;
  expect(relay.pace.enter()).toBeUndefined();
  await relay.stop(0);
});
