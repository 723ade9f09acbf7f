// Streams of events, without HTTP: what each is sent, when, and what that costs.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { item } from "../src/domain/item";
import { EventStreams, type Sink } from "../src/feed/event-streams";
import type { LogReader } from "../src/store/log";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { temporaryFolder } from "./support/folder";
import { runs } from "./support/in-full";
import { eventually } from "./support/processes";

// A thousand streams take seconds on a machine that has other work.
setDefaultTimeout(30_000);

/** Keeps what it is sent. A blocked one takes one more write, as a socket does, and then none until it is free again. */
class TestSink implements Sink {
  text = "";
  writes = 0;
  ended = false;
  wasCut = false;
  blocked = false;
  #free = Promise.withResolvers<void>();

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.writes += 1;
    this.text += new TextDecoder().decode(bytes);
    return this.blocked ? this.#free.promise : undefined;
  }
  release(): void {
    this.blocked = false;
    this.#free.resolve();
    this.#free = Promise.withResolvers();
  }
  end(): void {
    this.ended = true;
  }
  cut(): void {
    this.wasCut = true;
  }
  /** The positions of the events so far. */
  get positions(): number[] {
    return [...this.text.matchAll(/^id: (\d+)\nevent: /gm)].map(([, position]) => Number(position));
  }
}

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let opened: EventStreams[];
beforeEach(() => {
  folder = temporaryFolder();
  store = openSqliteStore(join(folder.path, "warren.db"), [item]);
  opened = [];
});
afterEach(async () => {
  for (const streams of opened) streams.close();
  await store.close();
  folder.remove();
});

function streamsOf(log: LogReader = store.log, heartbeatMs = 60_000, patienceMs = 60_000): EventStreams {
  const streams = new EventStreams(log, { heartbeatMs, patienceMs, retryMs: 1234 });
  opened.push(streams);
  store.onAppend(() => streams.wake());
  return streams;
}
const everything = { types: null, subject: null };
const insert = (count = 1) => Promise.all(Array.from({ length: count }, () => store.insert(item, item.example)));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const has = (sink: TestSink, count: number) =>
  eventually(() => (sink.positions.length >= count ? true : undefined), `${count} events, not ${sink.positions.length}`);

test("a stream begins with where it stands, and has each event with its position, type and body", async () => {
  const sink = new TestSink();
  streamsOf().open(sink, { position: 0, filter: everything });
  expect(sink.text).toBe("retry: 1234\nid: 0\n\n");
  await insert(2);
  await has(sink, 2);
  const [first, second] = await store.log.read(0, 2);
  expect(sink.text).toBe(
    `retry: 1234\nid: 0\n\nid: 1\nevent: item.created\ndata: ${first?.body}\n\nid: 2\nevent: item.created\ndata: ${second?.body}\n\n`,
  );
});

test("property: however writes and streams interleave, each stream gets every event of its filter once, in order", async () => {
  const streams = streamsOf();
  const step = fc.record({
    kind: fc.constantFrom("write", "write", "open", "block", "release"),
    count: fc.integer({ min: 1, max: 90 }),
    which: fc.nat(20),
    only: fc.constantFrom<readonly string[] | null>(null, ["item.created"], ["item.deleted", "item.updated"]),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const readers: { sink: TestSink; start: number; types: readonly string[] | null; leave: () => void }[] = [];
      for (const { kind, count, which, only } of steps) {
        const end = await store.log.end();
        const { sink } = readers[which % Math.max(1, readers.length)] ?? {};
        if (kind === "open") {
          const start = Math.max(0, end - which * 40);
          const opening = new TestSink();
          readers.push({
            sink: opening,
            start,
            types: only,
            leave: streams.open(opening, { position: start, filter: { types: only, subject: null } }),
          });
        } else if (kind === "block" && sink) sink.blocked = true;
        else if (kind === "release") sink?.release();
        else {
          const [created] = await insert(count);
          await Promise.all([store.update(item, created?.id ?? 0, () => item.example), store.remove(item, (created?.id ?? 1) - 1)]);
        }
      }
      for (const { sink } of readers) sink.release();
      for (const { sink, start, types, leave } of readers) {
        const expected = (await store.log.read(start, 100_000)).filter(({ type }) => types === null || types.includes(type));
        await has(sink, expected.length);
        expect(sink.positions).toEqual(expected.map(({ position }) => position));
        leave();
      }
    }),
    runs(5),
  );
}, 60_000);

test("a reader that takes nothing is sent nothing more, however much is written; the log keeps it until then", async () => {
  const streams = streamsOf();
  const [slow, quick] = [new TestSink(), new TestSink()];
  slow.blocked = true;
  for (const sink of [slow, quick]) streams.open(sink, { position: 0, filter: everything });
  await insert(500);
  await has(quick, 500);
  expect(slow.text).toBe("retry: 1234\nid: 0\n\n");
  slow.release();
  await has(slow, 500);
  expect(slow.positions).toEqual(upTo(500));
});

test("what is sent at a time is bounded, whatever waits in the log", async () => {
  await insert(1000);
  const sink = new TestSink();
  sink.blocked = true;
  streamsOf().open(sink, { position: 0, filter: everything });
  sink.release();
  sink.blocked = true;
  await eventually(() => (sink.positions.length > 0 ? true : undefined), "a first piece");
  expect(sink.text.length).toBeLessThan(20_000);
});

test("1,000 streams at the end of the log: a commit is read once for all of them", async () => {
  let reads = 0;
  const counting: LogReader = {
    ...store.log,
    scan: (...args) => {
      reads += 1;
      return store.log.scan(...args);
    },
  };
  const streams = streamsOf(counting);
  const sinks = Array.from({ length: 1000 }, () => new TestSink());
  for (const sink of sinks) streams.open(sink, { position: 0, filter: everything });
  for (const count of upTo(5)) {
    await insert(7);
    for (const sink of sinks) await has(sink, count * 7);
    expect(reads).toBe(count);
  }
  for (const sink of sinks) expect(sink.positions).toEqual(upTo(35));
});

test("streams do not rest because of the time that the log takes to answer", async () => {
  const clock = spyOn(performance, "now").mockReturnValue(0);
  const rest = spyOn(Bun, "sleep");
  /** As a database on another machine that is busy. */
  const slowly = async <T>(answer: Promise<T>): Promise<T> => {
    const found = await answer;
    await new Promise(setImmediate);
    clock.mockReturnValue(performance.now() + 1000);
    return found;
  };
  try {
    const log: LogReader = {
      ...store.log,
      scan: (...asked) => slowly(store.log.scan(...asked)),
      end: () => slowly(store.log.end()),
      pruned: () => slowly(store.log.pruned()),
    };
    const sink = new TestSink();
    streamsOf(log).open(sink, { position: 0, filter: everything });
    for (const count of upTo(3)) {
      await insert();
      while (sink.positions.length < count && rest.mock.calls.length === 0) await new Promise(setImmediate);
    }
    expect(rest).not.toHaveBeenCalled();
  } finally {
    clock.mockRestore();
    rest.mockRestore();
  }
});

test("a quiet stream says that it is there, and where it stands, though its filter wanted nothing of what was written", async () => {
  const sink = new TestSink();
  streamsOf(store.log, 50).open(sink, { position: 0, filter: { types: ["item.deleted"], subject: null } });
  await insert(3);
  await eventually(() => (sink.text.includes("id: 3") ? true : undefined), "a heartbeat");
  expect(sink.text).toEndWith(": still here\nid: 3\n\n");
  expect(sink.positions).toEqual([]);
});

describe("a stream ends", () => {
  test("when its client has taken nothing for too long; one that is only quiet goes on", async () => {
    const streams = streamsOf(store.log, 50, 200);
    const [slow, quiet] = [new TestSink(), new TestSink()];
    slow.blocked = true;
    for (const sink of [slow, quiet]) streams.open(sink, { position: 0, filter: everything });
    await eventually(() => (slow.wasCut ? true : undefined), "its end");
    expect([streams.size, slow.writes, quiet.wasCut]).toEqual([1, 1, false]);
    slow.release();
    await insert();
    await has(quiet, 1);
    expect(slow.writes).toBe(1);
  });

  test("when its client has left: nothing more is sent", async () => {
    const streams = streamsOf();
    const [leaving, staying] = [new TestSink(), new TestSink()];
    const leave = streams.open(leaving, { position: 0, filter: everything });
    streams.open(staying, { position: 0, filter: everything });
    await insert();
    await has(staying, 1);
    leave();
    await insert();
    await has(staying, 2);
    expect([leaving.positions, leaving.ended, streams.size]).toEqual([[1], false, 1]);
  });

  test("when all are closed, and so does one that begins afterwards", async () => {
    const streams = streamsOf();
    const [open, late] = [new TestSink(), new TestSink()];
    streams.open(open, { position: 0, filter: everything });
    streams.close();
    streams.open(late, { position: 0, filter: everything });
    expect([open.ended, late.ended, late.writes, streams.size]).toEqual([true, true, 0, 0]);
  });

  test("when events were pruned that it has not had: none is left out without a word", async () => {
    await insert(400);
    const sink = new TestSink();
    sink.blocked = true;
    const streams = streamsOf();
    streams.open(sink, { position: 0, filter: everything });
    await store.prune(new Date(Date.now() + 60_000).toISOString(), 300);
    sink.release();
    await eventually(() => (sink.ended ? true : undefined), "its end");
    expect([sink.positions, streams.size]).toEqual([[], 0]);
  });

  test("when the log cannot be read; one that begins later is served", async () => {
    let broken = true;
    const log: LogReader = { ...store.log, scan: (...args) => (broken ? Promise.reject(new Error("disk")) : store.log.scan(...args)) };
    const streams = streamsOf(log);
    const [first, second] = [new TestSink(), new TestSink()];
    streams.open(first, { position: 0, filter: everything });
    await insert();
    await eventually(() => (first.ended ? true : undefined), "its end");
    broken = false;
    streams.open(second, { position: 0, filter: everything });
    await has(second, 1);
  });
});
