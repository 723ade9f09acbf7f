// Where an embedded consumer is in the log: in one lane, and in several that it reads together.
import { describe, expect, test } from "bun:test";
import { LaneCursor } from "../src/embedded/lane-cursor";
import { LaneCursors } from "../src/embedded/lane-cursors";
import type { LogEntry } from "../src/store/log";

const lane = (number: number) => ({ number, epoch: 1 });
const entry = (position: number, subject: number) => ({ position, subject }) as LogEntry;

describe("a lane", () => {
  test("is settled up to its first entry that is not", () => {
    const cursor = new LaneCursor(lane(0), { position: 10, begun: 10 });
    const [first, second, third] = [12, 15, 16].map((position) => cursor.take(position));
    cursor.pass(20);
    expect(cursor.position).toBe(11);
    third?.();
    expect([cursor.position, cursor.isBehindSettled(15), cursor.isBehindSettled(16)]).toEqual([11, true, false]);
    first?.();
    expect(cursor.position).toBe(14);
    second?.();
    expect(cursor.position).toBe(20);
  });

  test("says where it will be when more is settled, without being there", () => {
    const cursor = new LaneCursor(lane(0), { position: 0, begun: 0 });
    for (const position of [1, 2, 3]) cursor.take(position);
    expect([new Set([1, 2]), new Set([2]), new Set([1, 2, 3])].map((all) => cursor.progressWith(all).position)).toEqual([2, 0, 3]);
    expect(cursor.position).toBe(0);
  });

  test("stays right over thousands of entries", () => {
    const cursor = new LaneCursor(lane(0), { position: 0, begun: 0 });
    for (let position = 1; position <= 5000; position += 1) {
      const settle = cursor.take(position);
      if (position !== 3000) settle();
    }
    expect([cursor.position, cursor.progressWith(new Set([3000])).position]).toEqual([2999, 5000]);
  });

  test("suspects what an earlier holder may have begun", () => {
    const cursor = new LaneCursor(lane(0), { position: 5, begun: 8 });
    expect([6, 8, 9].map((position) => cursor.isSuspect(position))).toEqual([true, true, false]);
    expect([cursor.begin(8), cursor.begin(12), cursor.progress.begun]).toEqual([false, true, 12]);
    cursor.rest();
    expect(cursor.progress).toEqual({ lane: lane(0), position: 5, begun: 5 });
  });
});

describe("several lanes", () => {
  test("are read from where the least far is, and take what is theirs, once", () => {
    const cursors = new LaneCursors(4);
    cursors.add(lane(1), { position: 10, begun: 10 });
    cursors.add(lane(2), { position: 6, begun: 6 });
    expect(cursors.taken).toBe(6);
    const taken = [entry(7, 1), entry(8, 2), entry(9, 3), entry(11, 5), entry(12, 6)].flatMap(
      (each) => cursors.for(each)?.lane.number ?? [],
    );
    expect(taken).toEqual([2, 1, 2]);
    cursors.pass(12);
    expect([cursors.taken, cursors.for(entry(12, 6)), cursors.for(entry(13, 6))?.lane.number]).toEqual([12, undefined, 2]);
  });

  test("take as many entries at once as there is room for, whatever is in lanes of other processes between them", () => {
    const cursors = new LaneCursors(4);
    cursors.add(lane(1), { position: 0, begun: 0 });
    cursors.add(lane(2), { position: 0, begun: 0 });
    expect(cursors.part).toBe(0.5);
    const type = (name: string, position: number, subject: number) => ({ ...entry(position, subject), type: name });
    const entries = [type("a", 1, 1), type("a", 2, 3), type("b", 3, 2), type("a", 4, 2), type("a", 5, 3), type("a", 6, 5), type("a", 7, 3)];
    const fitting = (room: number) => cursors.fitting(entries, room, new Set(["a"])).at(-1)?.position;
    expect([1, 2, 3].map(fitting)).toEqual([3, 5, 7]);
  });

  test("that are given up take no more, pass over nothing, and stay at what is given back", () => {
    const cursors = new LaneCursors(4);
    for (const number of [1, 2]) cursors.add(lane(number), { position: 0, begun: 0 });
    const [settleFirst, , ofOther] = [entry(1, 1), entry(2, 1), entry(3, 2)].map((each) => cursors.for(each)?.take(each.position));
    cursors.close(lane(1));
    expect([cursors.for(entry(4, 1)), cursors.part, cursors.taken]).toEqual([undefined, 0.25, 3]);
    settleFirst?.();
    ofOther?.();
    cursors.pass(5);
    expect(cursors.unsaved.map(({ position }) => position)).toEqual([1, 5]);
    cursors.close(lane(2));
    expect(cursors.isEmpty).toBe(true);
    cursors.remove(lane(1));
    cursors.add(lane(1), { position: 1, begun: 1 });
    expect(cursors.for(entry(2, 1))?.lane.number).toBe(1);
  });

  test("have progress to save where it has changed", () => {
    const cursors = new LaneCursors(2);
    for (const number of [0, 1]) cursors.add(lane(number), { position: 0, begun: 0 });
    expect([cursors.begin([entry(1, 2)], 3), cursors.hasMoved, cursors.unsaved.length]).toEqual([true, false, 1]);
    cursors.save(cursors.unsaved);
    const settle = cursors.for(entry(1, 2))?.take(1);
    cursors.pass(3);
    expect(cursors.unsaved).toEqual([{ lane: lane(1), position: 3, begun: 0 }]);
    settle?.();
    expect(cursors.unsaved.map(({ position }) => position)).toEqual([3, 3]);
  });
});
