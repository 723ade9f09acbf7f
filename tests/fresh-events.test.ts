// Events that the relay gets from the commit: exactly those of the log, in its order, and not too many.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FreshEvents } from "../src/rabbitmq/fresh-events";
import type { LogEntry } from "../src/store/log";
import { MemoryLog } from "./support/memory-log";

const log = new MemoryLog();
log.append(20_000);
/** The events of the log from one position to another. */
const from = (first: number, last: number) => log.entries.slice(first - 1, last);
const positions = (entries: readonly LogEntry[] | undefined) => entries?.map(({ position }) => position);

test("come in order, each once, up to the asked number", () => {
  const fresh = new FreshEvents();
  fresh.add(from(4, 6));
  fresh.add(from(7, 9));
  expect(positions(fresh.take(3, 4))).toEqual([4, 5, 6, 7]);
  expect(positions(fresh.take(7, 4))).toEqual([8, 9]);
  expect(fresh.take(9, 4)).toEqual([]);
  expect(fresh.take(3, 4)).toBeUndefined();
});

test("have to be read if an earlier one is missing; the others are of use after that", () => {
  const fresh = new FreshEvents();
  fresh.add(from(4, 6));
  expect(fresh.take(1, 10)).toBeUndefined();
  expect(positions(fresh.take(4, 10))).toEqual([5, 6]);
});

test("have to be read after a commit whose events are not known, as after an erasure", () => {
  const fresh = new FreshEvents();
  fresh.add(from(1, 3));
  fresh.add(undefined);
  expect(fresh.take(0, 10)).toBeUndefined();
  fresh.add(from(5, 6));
  expect(fresh.take(3, 10)).toBeUndefined();
  expect(positions(fresh.take(4, 10))).toEqual([5, 6]);
});

test("after a gap are not passed off as the next ones", () => {
  const fresh = new FreshEvents();
  fresh.add(from(1, 3));
  fresh.add(from(6, 7));
  expect(fresh.take(0, 10)).toBeUndefined();
  expect(fresh.take(3, 10)).toBeUndefined();
  expect(fresh.take(7, 10)).toEqual([]);
});

test("are forgotten if they are too many, or too long, for a relay that does not take them", () => {
  const many = new FreshEvents();
  for (let first = 1; first <= 8_193; first += 1) many.add(from(first, first));
  expect(many.take(0, 10)).toBeUndefined();
  const long = new FreshEvents();
  const body = "x".repeat(1024 * 1024);
  for (let position = 1; position <= 9; position += 1) long.add([{ ...(log.entries[position - 1] as LogEntry), body }]);
  expect(long.take(0, 10)).toBeUndefined();
});

test("of a commit with more of them than a call can have arguments have to be read, too", () => {
  const fresh = new FreshEvents();
  fresh.add(Array.from({ length: 1_000_000 }, (_, index) => ({ ...(log.entries[0] as LogEntry), position: index + 1 })));
  expect(fresh.take(0, 10)).toBeUndefined();
});

test("property: with the log for the rest, a reader gets each event once and in order, whatever is handed over", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("commit" as const), count: fc.integer({ min: 1, max: 400 }), isKnown: fc.boolean() }),
    fc.record({ kind: fc.constant("lost" as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 256 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const fresh = new FreshEvents();
      const got: number[] = [];
      let end = 0;
      const read = (count: number) => {
        const after = got.at(-1) ?? 0;
        const entries = fresh.take(after, count) ?? from(after + 1, Math.min(end, after + count));
        got.push(...entries.map(({ position }) => position));
        return entries.length;
      };
      for (const { kind, count, ...rest } of steps) {
        if (kind === "read") read(count);
        else {
          end += count;
          if (kind === "commit") fresh.add("isKnown" in rest && rest.isKnown ? from(end - count + 1, end) : undefined);
          // Nobody was told of it. The next commit shows it.
        }
      }
      end += 1;
      fresh.add(from(end, end));
      while (read(256) > 0);
      expect(got).toEqual(Array.from({ length: end }, (_, index) => index + 1));
    }),
  );
});
