// A consumer whose handler fails too often pauses, so that an outage does not use up the attempts of every event.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { Reject } from "warren/consumer";
import { buildEvent, testConsumer } from "warren/testing";
import { Breaker, type BreakerPolicy, type BreakerState, defaultBreaker } from "../src/delivery/breaker";
import { recordedLog } from "./support/recorded-log";
import { advance, settled } from "./support/settled";

/** A breaker, a clock that stands still until it is moved, and every state that the breaker went into. */
function breakerAt(policy: Partial<BreakerPolicy> = {}) {
  const states: BreakerState[] = [];
  const breaker = new Breaker({ ...defaultBreaker, ...policy }, (state) => states.push(state));
  let now = 1_000_000;
  return {
    breaker,
    states,
    wait: () => breaker.waitMs(now),
    pass(ms: number) {
      now += ms;
    },
    events(...results: ("ok" | "failed")[]) {
      for (const result of results) {
        breaker.begin();
        breaker.end(result === "failed", now);
      }
    },
  };
}
const failed = (count: number) => Array.from({ length: count }, () => "failed" as const);
const ok = (count: number) => Array.from({ length: count }, () => "ok" as const);

describe("it opens", () => {
  test("when half of at least 20 events within a minute have failed", () => {
    const { breaker, events, states, wait } = breakerAt();
    events(...ok(10), ...failed(9));
    expect([breaker.state, wait()]).toEqual(["closed", 0]);
    events("failed");
    expect([breaker.state, wait(), states]).toEqual(["open", 30_000, ["open"]]);
  });

  test("not on fewer events, though all of them failed", () => {
    const { breaker, events } = breakerAt();
    events(...failed(19));
    expect(breaker.state).toBe("closed");
    events("failed");
    expect(breaker.state).toBe("open");
  });

  test("not on a smaller share, however many failed", () => {
    const { breaker, events } = breakerAt();
    events(...ok(1001), ...failed(1000));
    expect(breaker.state).toBe("closed");
    events("failed");
    expect(breaker.state).toBe("open");
  });

  test("not on what failed longer ago than the window", () => {
    const { breaker, events, pass } = breakerAt();
    events(...failed(19));
    pass(60_000);
    events(...failed(19));
    expect(breaker.state).toBe("closed");
    events("failed");
    expect(breaker.state).toBe("open");
  });

  test("on failures that are spread over the window", () => {
    const { breaker, events, pass } = breakerAt();
    for (let count = 0; count < 19; count += 1) {
      events("failed");
      pass(2800);
    }
    expect(breaker.state).toBe("closed");
    events("failed");
    expect(breaker.state).toBe("open");
  });

  test("only on a failure: one that worked never opens it", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (results) => {
        const { breaker, states } = breakerAt({ minimum: 3, pauseMs: 1 });
        for (const failing of results) {
          const before = states.length;
          breaker.end(failing, 0);
          if (!failing) expect(states.length).toBe(before);
          if (breaker.state === "open") return;
        }
      }),
    );
  });
});

describe("while it is open", () => {
  test("no event may be handled, and it says how long not", () => {
    const { events, pass, wait } = breakerAt();
    events(...failed(20));
    pass(29_999);
    expect(wait()).toBe(1);
  });

  test("what ends now was begun before, and neither opens nor closes it", () => {
    const { breaker, events, states, wait } = breakerAt();
    events(...failed(20), ...ok(30), ...failed(30));
    expect([breaker.state, wait(), states]).toEqual(["open", 30_000, ["open"]]);
  });
});

describe("after the pause", () => {
  function halfOpen() {
    const at = breakerAt();
    at.events(...failed(20));
    at.pass(30_000);
    return at;
  }

  test("one event may be handled, and no other until that one is done", () => {
    const { breaker, wait } = halfOpen();
    expect([wait(), breaker.state]).toEqual([0, "half-open"]);
    breaker.begin();
    expect(wait()).toBe(Number.POSITIVE_INFINITY);
  });

  test("it closes when that one worked, and counts from nothing", () => {
    const { breaker, events, states, wait } = halfOpen();
    wait();
    events("ok");
    expect([breaker.state, wait(), states]).toEqual(["closed", 0, ["open", "half-open", "closed"]]);
    events(...failed(19));
    expect(breaker.state).toBe("closed");
    events("failed");
    expect(breaker.state).toBe("open");
  });

  test("it opens for another pause when that one failed", () => {
    const { breaker, events, pass, states, wait } = halfOpen();
    wait();
    events("failed");
    expect([breaker.state, wait(), states]).toEqual(["open", 30_000, ["open", "half-open", "open"]]);
    pass(30_000);
    expect([wait(), breaker.state]).toEqual([0, "half-open"]);
  });
});

describe("a consumer", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function failing(error: unknown = new Error("down")) {
    const { log, lines } = recordedLog();
    const state = { down: true, calls: 0, lines };
    const consumer = testConsumer(
      {
        queue: "fragile",
        breaker: { minimum: 4, pauseMs: 1000 },
        retry: { attempts: 100 },
        handle() {
          state.calls += 1;
          if (state.down) throw error;
        },
      },
      { log },
    );
    return {
      consumer,
      state,
      deliver: (count: number) => Array.from({ length: count }, () => consumer.deliver(buildEvent("item.created"))),
    };
  }

  test("pauses, tries one event, pauses again, and goes on when it works; and says so", async () => {
    const { state, deliver } = failing();
    const outcomes = deliver(10);
    await settled();
    expect(state.calls).toBe(4);
    await advance(999);
    expect(state.calls).toBe(4);
    await advance(1);
    expect(state.calls).toBe(5);
    state.down = false;
    await advance(1000);
    expect(state.calls).toBe(10);
    const actions = (await Promise.all(outcomes)).map(({ action }) => action);
    expect(actions).toEqual([...Array.from({ length: 5 }, () => "retry" as const), ...Array.from({ length: 5 }, () => "ack" as const)]);
    const said = state.lines.filter(({ msg }) => /fails too often|^Trying|works again/.test(msg));
    expect(said.map(({ level, msg, queue }) => [level, msg, queue])).toEqual([
      ["error", "The handler fails too often; pausing, then trying one event", "fragile"],
      ["info", "Trying one event", "fragile"],
      ["error", "The handler fails too often; pausing, then trying one event", "fragile"],
      ["info", "Trying one event", "fragile"],
      ["info", "The handler works again", "fragile"],
    ]);
  });

  test("of batches tries one event, and not a batch", async () => {
    const batches: number[] = [];
    const consumer = testConsumer({
      queue: "fragile",
      breaker: { minimum: 3, pauseMs: 1000 },
      batch: { size: 3, waitMs: 0 },
      retry: { attempts: 100 },
      handleBatch: (events) => {
        batches.push(events.length);
        return batches.length <= 5 ? Promise.reject(new Error("down")) : undefined;
      },
    });
    const outcomes = Array.from({ length: 10 }, () => consumer.deliver(buildEvent("item.created")));
    await settled();
    // One that was alone, three together, then each of them.
    expect(batches).toEqual([1, 3, 1, 1, 1]);
    await advance(1000);
    expect(batches.slice(5)).toEqual([1, 3, 2]);
    await Promise.all(outcomes);
  });

  test("does not pause for events that it rejects: those tell nothing about what is behind it", async () => {
    const { consumer, state, deliver } = failing(new Reject("odd"));
    await Promise.all(deliver(50));
    expect([state.calls, consumer.counts.deadLettered]).toEqual([50, 50]);
  });

  test("garbage opens nothing, and is put aside while it pauses", async () => {
    const { consumer, state, deliver } = failing();
    await Promise.all(Array.from({ length: 50 }, () => consumer.deliver("garbage")));
    state.down = false;
    await Promise.all(deliver(1));
    state.down = true;
    await Promise.all(deliver(3));
    const [waiting] = deliver(1);
    expect(await consumer.deliver("garbage")).toMatchObject({ action: "dead-letter" });
    expect(state.calls).toBe(4);
    await advance(1000);
    expect(await waiting).toMatchObject({ action: "retry" });
  });

  test("goes on when the event that is tried turns out to be done already", async () => {
    let down = false;
    const consumer = testConsumer({
      queue: "fragile",
      exactlyOnce: true,
      breaker: { minimum: 2, pauseMs: 1000 },
      handle() {
        if (down) throw new Error("down");
      },
    });
    const done = buildEvent("item.created");
    await consumer.deliver(done);
    down = true;
    await consumer.deliver(buildEvent("item.created"));
    down = false;
    const outcomes = [done, buildEvent("item.created")].map((event) => consumer.deliver(event));
    await advance(1000);
    const first = await outcomes[0];
    expect(first).toEqual({ action: "ack", result: "duplicate" });
    await advance(60_000);
    expect(consumer.counts.handled).toBe(2);
  });
});
