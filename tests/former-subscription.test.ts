// A consumer that has lost its connection waits until RabbitMQ has noticed it, too: else later events would come before those it held.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { Broker } from "../src/rabbitmq/connection";
import { FormerSubscription } from "../src/rabbitmq/former-subscription";
import { recordedLog } from "./support/recorded-log";
import { advance } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A subscription to a queue whose counts the test sets. */
function formerOn(state: { consumerCount: number; messageCount: number }) {
  const channel = { checkQueue: async () => state };
  const broker = { withChannel: async (use: (on: typeof channel) => Promise<unknown>) => use(channel) } as unknown as Broker;
  const { log, at } = recordedLog();
  const former = new FormerSubscription(broker, "q", log);
  const closing = new AbortController();
  const subscribe = async () => {
    const closed = new AbortController();
    void former.count(() => true, closed.signal);
    await advance(0);
    return () => closed.abort();
  };
  const resubscribe = (isQuorum: boolean) => {
    const waiting = { isOver: false };
    void former.ended(isQuorum, closing.signal).then(() => {
      waiting.isOver = true;
    });
    return waiting;
  };
  return { former, state, subscribe, resubscribe, closing, at };
}

describe("a new subscription", () => {
  test("is made at once if it is the first, or if RabbitMQ counts no other consumers than before", async () => {
    const { former, state, subscribe, resubscribe } = formerOn({ consumerCount: 3, messageCount: 0 });
    const first = resubscribe(false);
    await advance(0);
    expect(first.isOver).toBe(true);
    const close = await subscribe();
    close();
    former.lost(true);
    state.consumerCount = 2;
    const second = resubscribe(false);
    await advance(0);
    expect(second.isOver).toBe(true);
  });

  test("waits while RabbitMQ counts the former one, and says so", async () => {
    const { former, state, subscribe, resubscribe, at } = formerOn({ consumerCount: 1, messageCount: 5 });
    (await subscribe())();
    former.lost(true);
    const waiting = resubscribe(true);
    await advance(60_000);
    expect([waiting.isOver, at("info").length]).toEqual([false, 1]);
    state.consumerCount = 0;
    await advance(200);
    expect(waiting.isOver).toBe(true);
  });

  test("waits for 90 s at most, or until the channel closes", async () => {
    for (const ends of ["time", "close"]) {
      const { former, subscribe, resubscribe, closing } = formerOn({ consumerCount: 1, messageCount: 5 });
      (await subscribe())();
      former.lost(true);
      const waiting = resubscribe(true);
      await advance(89_000);
      expect(waiting.isOver).toBe(false);
      if (ends === "close") closing.abort();
      await advance(ends === "close" ? 0 : 1_100);
      expect(waiting.isOver).toBe(true);
    }
  });

  test("of a quorum queue believes for half a minute at most that no events wait, though this consumer held some: it may have no leader", async () => {
    for (const held of [true, false]) {
      const { former, state, subscribe, resubscribe } = formerOn({ consumerCount: 1, messageCount: 0 });
      (await subscribe())();
      former.lost(held);
      state.consumerCount = 0;
      const waiting = resubscribe(true);
      await advance(0);
      expect(waiting.isOver).toBe(!held);
      await advance(30_100);
      expect(waiting.isOver).toBe(true);
    }
  });

  test("counts other consumers anew every minute, and does not wait for a queue that was deleted", async () => {
    const { former, state, subscribe, resubscribe } = formerOn({ consumerCount: 1, messageCount: 5 });
    const close = await subscribe();
    state.consumerCount = 2;
    await advance(60_000);
    close();
    former.lost(true);
    state.consumerCount = 1;
    const waiting = resubscribe(true);
    await advance(0);
    expect(waiting.isOver).toBe(true);
    state.consumerCount = 9;
    former.forget();
    const other = resubscribe(true);
    await advance(0);
    expect(other.isOver).toBe(true);
  });
});
