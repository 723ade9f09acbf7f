// Pacing where several processes write to the log: each looks at how far the log is, and the process that sends it.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { relayOn } from "./support/relay";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("a process that does not send is slowed down while the one that does is behind, and by nothing once that stops", async () => {
  const { log, relay } = relayOn();
  const grow = async (committed: number, confirmed: number) => {
    log.append(committed);
    log.stored += confirmed;
    relay.wake();
    await advance(100);
  };
  for (let turn = 0; turn < 5; turn += 1) await grow(100, 80);
  expect(relay.pace.enter()).toBeUndefined();
  // 800 in a second; 1,000 wait.
  await grow(1000, 80);
  const waiting = relay.pace.enter();
  expect(waiting).toBeInstanceOf(Promise);
  // Nobody commits, and the other process catches up: it looks by itself.
  for (let turn = 0; turn < 10; turn += 1) {
    log.stored += 80;
    await advance(100);
  }
  await waiting;
  relay.pace.leave();

  await grow(5000, 10);
  const stuck = relay.pace.enter();
  expect(stuck).toBeInstanceOf(Promise);
  await advance(400);
  await advance(300);
  await stuck;
  expect(relay.pace.enter()).toBeUndefined();
  await relay.stop(0);
});

test("the process that sends knows how far that is, and looks for the end of the log", async () => {
  const { log, channel, relay, run } = relayOn();
  const running = run();
  log.append(2000);
  relay.wake();
  await channel.untilPublished(1024);
  for (let turn = 0; turn < 30; turn += 1) {
    for (const message of channel.published.filter(({ answered }) => !answered).slice(0, 10)) message.confirm();
    await advance(10);
  }
  log.append(1000);
  relay.wake();
  await advance(100);
  expect(relay.pace.backlog).toBe(2700);
  expect(relay.pace.enter()).toBeInstanceOf(Promise);
  await relay.stop(0);
  channel.close();
  await running;
  await settled();
});

test("a log that cannot be read slows nobody down", async () => {
  const { log, relay } = relayOn();
  log.relayed.load = async () => {
    throw new Error("disk trouble");
  };
  log.append(1000);
  relay.wake();
  await advance(100);
  expect(relay.pace.enter()).toBeUndefined();
  await relay.stop(0);
});
