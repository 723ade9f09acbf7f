// An event over which RabbitMQ closes the channel: a replay goes on behind it, and the relay waits for it.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { ReplaySelection } from "../src/delivery/replay-selection";
import { Culprit } from "../src/rabbitmq/culprit";
import { isProtocolError } from "../src/rabbitmq/reply-code";
import { type PastOptions, sendPast } from "../src/rabbitmq/send-past";
import { MemoryLog } from "./support/memory-log";
import { MockChannel, type Published } from "./support/mock-channel";
import { positions, relayOn } from "./support/relay";
import { advance } from "./support/settled";

const closedWith = (code: number, text: string) => Object.assign(new Error(`Channel closed by server: ${code} (${text})`), { code });
const tooLarge = closedWith(406, "PRECONDITION-FAILED");

/** Confirms everything, and closes the channel over these events. */
const closesOver = (ids: readonly string[], reason: Error) => (message: Published) => {
  if (ids.includes(String(message.options.messageId))) void message.channel.close(reason);
  else message.confirm();
};

describe("a replay", () => {
  const everything: ReplaySelection = { types: null, subject: null, from: null, to: null, rate: null, force: false };

  /** Sends the log to a queue, on as many channels as it takes but at most ten. The broker replies later, and on an open channel only. */
  async function replay(log: MemoryLog, broker: (message: Published) => void, frameMax?: number) {
    const [channels, away]: [MockChannel[], string[]] = [[], []];
    let [position, sent] = [0, 0];
    const culprit = new Culprit();
    const putAway: PastOptions["putAway"] = ({ options }, why) => void away.push(`${options.messageId}: ${why}`);
    while (position < log.entries.length && channels.length < 10) {
      const replies = (message: Published) => void setImmediate(() => message.channel.closed || broker(message));
      const channel = Object.assign(new MockChannel(), { broker: replies, connection: { frameMax } });
      channels.push(channel);
      const before = sent;
      await sendPast({
        ...{ log, channel, culprit, putAway, oneByOne: false, queue: "own", selection: everything, marked: true, closed: channel.signal },
        ...{ after: position, last: log.entries.length },
        onProgress: (reached, confirmed) => {
          position = reached;
          sent = before + confirmed;
        },
      }).catch(() => {});
    }
    return { away, position, sent, sentOn: channels.map(positions) };
  }

  test("puts away an event over which RabbitMQ closes the channel twice, and sends what is behind it", async () => {
    const log = new MemoryLog();
    log.append(6);
    const { away, position, sent, sentOn } = await replay(log, closesOver(["event-2", "event-5"], tooLarge));
    const why = `RabbitMQ closed the channel twice because of this event: ${tooLarge.message}`;
    expect(away).toEqual([`event-2: ${why}`, `event-5: ${why}`]);
    expect([position, sent]).toEqual([6, 4]);
    // All are suspects after the first close, so each is sent alone.
    expect(sentOn).toEqual([[1, 2, 3, 4, 5, 6], [2], [3, 4, 5], [6]]);
  });

  test("puts away an event whose properties exceed the frame, and needs no channel for it", async () => {
    const log = new MemoryLog();
    log.append(1);
    log.append(1, { type: `item.${"x".repeat(200)}` });
    log.append(1);
    const { away, position, sent, sentOn } = await replay(log, (message) => message.confirm(), 600);
    expect(away).toEqual([expect.stringMatching(/^event-2: The properties have \d+ bytes; a frame can have at most 600$/)]);
    expect([position, sent, sentOn]).toEqual([3, 2, [[1, 3]]]);
  });

  test("keeps an event that cannot be put away, such as on a full disk, and tries again", async () => {
    const log = new MemoryLog();
    log.append(2);
    const errors: unknown[] = [];
    const culprit = new Culprit();
    for (let n = 0; n < 3; n += 1) {
      const channel = Object.assign(new MockChannel(), { broker: closesOver(["event-1"], tooLarge) });
      const putAway = () => {
        throw new Error("no space left on device");
      };
      await sendPast({
        ...{ log, channel, culprit, putAway, oneByOne: false, queue: "own", selection: everything, marked: true, closed: channel.signal },
        ...{ after: 0, last: 2 },
        onProgress: () => expect.unreachable(),
      }).catch((error: unknown) => errors.push(error));
    }
    expect(errors.slice(-2)).toEqual([new Error("no space left on device"), new Error("no space left on device")]);
  });

  test.each([
    ["a connection that is lost", new Error("socket closed")],
    ["a connection that RabbitMQ closes", closedWith(320, "CONNECTION-FORCED")],
    ["a right that is missing", closedWith(403, "ACCESS-REFUSED")],
    ["a fault of RabbitMQ", closedWith(541, "INTERNAL-ERROR")],
  ])("blames no event for %s", async (_, reason) => {
    const log = new MemoryLog();
    log.append(3);
    const { away, position, sentOn } = await replay(log, closesOver(["event-2"], reason));
    expect([away, position, sentOn.length]).toEqual([[], 1, 10]);
  });
});

test("a channel that closes without an error blames no message", () => {
  const closed = new AbortController();
  closed.abort();
  expect([isProtocolError(closed.signal.reason), isProtocolError(tooLarge)]).toEqual([false, true]);
});

describe("the relay", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test("waits for the event with growing pauses, says so once, and goes on when RabbitMQ takes it", async () => {
    const { log, relay, run, refusals, lines, at } = relayOn();
    log.append(3);
    const first = new MockChannel();
    first.broker = closesOver(["event-2"], tooLarge);
    await run(first);
    expect([positions(first), await relay.position(), refusals]).toEqual([[1, 2, 3], 1, []]);

    for (const pauseMs of [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]) {
      const channel = new MockChannel();
      channel.broker = closesOver(["event-2"], tooLarge);
      let ended = false;
      const running = run(channel).then(() => {
        ended = true;
      });
      await channel.untilPublished(1);
      await advance(pauseMs - 2);
      expect([positions(channel), ended]).toEqual([[2], false]);
      await advance(2);
      await running;
    }
    expect(await relay.position()).toBe(1);
    expect(refusals).toMatchObject([{ queue: null, event: { id: "event-2" }, reason: tooLarge.message }]);
    const warning = "RabbitMQ closes the channel because of an event; waiting until it accepts the event";
    expect(at("warn")).toEqual([warning]);
    expect(lines.find(({ msg }) => msg === warning)).toMatchObject({ event: "event-2", position: 2, bytes: 10, reason: tooLarge.message });

    const last = new MockChannel();
    last.broker = (message) => message.confirm();
    const running = run(last);
    await last.untilPublished(2);
    await advance(0);
    expect([positions(last), await relay.position(), refusals.at(-1)]).toEqual([[2, 3], 3, null]);
    expect(at("info")).toEqual(["RabbitMQ has accepted the event"]);
    await relay.stop(0);
    await running;
  });

  test("does not wait when it stops", async () => {
    const { log, relay, run } = relayOn();
    log.append(1);
    await run(Object.assign(new MockChannel(), { broker: closesOver(["event-1"], tooLarge) }));
    const running = run(Object.assign(new MockChannel(), { broker: closesOver(["event-1"], tooLarge) }));
    await advance(0);
    await relay.stop(0);
    await running;
    expect([await relay.position(), log.stored]).toEqual([0, 0]);
  });
});
