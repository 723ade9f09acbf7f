// What the live status costs while nobody looks: nothing, apart from one look at the log after commits.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Distribution, workSeconds } from "../src/observe/tally";
import { ConsumerReports } from "../src/status/consumer-reports";
import { StatusHistory } from "../src/status/history";
import { LiveStatus, type LiveStatusOptions } from "../src/status/live-status";

let looks = { log: 0, relay: 0, reports: 0 };
let append: () => void = () => {};
let confirmed = 0;
let live: LiveStatus;
beforeEach(() => {
  jest.useFakeTimers();
  looks = { log: 0, relay: 0, reports: 0 };
  confirmed = 5;
  const options = {
    sources: {},
    store: {
      log: {
        end: async () => {
          looks.log += 1;
          return 5;
        },
      },
      tally: { commits: { seconds: new Distribution(workSeconds) } },
      onAppend: (listener: () => void) => {
        append = listener;
      },
    },
    confirmed: async () => {
      looks.relay += 1;
      return confirmed;
    },
    reports: new ConsumerReports({
      reports: async () => {
        looks.reports += 1;
        return [];
      },
    }),
    changeSeconds: new Distribution(workSeconds),
  };
  live = new LiveStatus(options as unknown as LiveStatusOptions);
});
afterEach(() => {
  live.close();
  jest.useRealTimers();
});

/** Lets time pass, and what was begun in it go on. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    jest.advanceTimersByTime(500);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

test("nothing is asked while nobody looks and nothing is committed", async () => {
  await pass(1000);
  expect(looks).toEqual({ log: 1, relay: 1, reports: 0 });
  await pass(600_000);
  expect(looks).toEqual({ log: 1, relay: 1, reports: 0 });
});

test("commits are noted once a second at most, and that RabbitMQ has confirmed them", async () => {
  await pass(1000);
  for (let n = 0; n < 500; n += 1) append();
  await pass(600_000);
  expect(looks).toEqual({ log: 2, relay: 2, reports: 0 });
  confirmed = 3;
  append();
  await pass(2000);
  confirmed = 5;
  await pass(600_000);
  expect(looks.log).toBeLessThan(8);
});

test("the history of a day with all of its queues takes less than 1 MB", () => {
  let bytes = 0;
  const counted = <Of extends typeof Float32Array | typeof Float64Array>(of: Of): Of =>
    new Proxy(of, {
      construct(target, values) {
        const made = Reflect.construct(target, values) as Float64Array;
        bytes += made.byteLength;
        return made;
      },
    });
  const { Float32Array: float32, Float64Array: float64 } = globalThis;
  try {
    Object.assign(globalThis, { Float32Array: counted(float32), Float64Array: counted(float64) });
    const history = new StatusHistory();
    const waiting = Array.from({ length: 60 }, (_, n) => ({ queue: `queue-${n}`, messages: n }));
    for (let minute = 0; minute < 1440; minute += 1)
      history.add(minute * 60_000, { committed: minute, confirmed: minute, handled: minute, failed: 0, waiting });
    expect(history.read("15m", 1440 * 60_000).queues).toHaveLength(50);
  } finally {
    Object.assign(globalThis, { Float32Array: float32, Float64Array: float64 });
  }
  expect(bytes).toBeGreaterThan(500_000);
  expect(bytes).toBeLessThan(1_000_000);
});
