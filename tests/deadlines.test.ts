import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Deadlines } from "../src/timing/deadlines";
import { Turns } from "../src/timing/turns";
import { advance, settled } from "./support/settled";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("each deadline passes at its own time, unless it was ended before", async () => {
  const deadlines = new Deadlines(100);
  const passed: string[] = [];
  const start = (name: string) => deadlines.start(() => passed.push(name));
  const end = start("ended");
  start("first");
  await advance(60);
  start("second");
  end();
  await advance(39);
  expect(passed).toEqual([]);
  await advance(1);
  expect(passed).toEqual(["first"]);
  await advance(60);
  expect(passed).toEqual(["first", "second"]);
  start("third");
  deadlines.clear();
  await advance(1000);
  expect(passed).toEqual(["first", "second"]);
});

test("turns come in the order in which they were asked for, also after work that failed", async () => {
  const turns = new Turns();
  const done: string[] = [];
  expect(turns.take()).toBeUndefined();
  const second = turns.take()?.then(() => void done.push("second"));
  const third = turns.run(() => {
    done.push("third");
    throw new Error("third");
  });
  const fourth = turns.run(() => void done.push("fourth"));
  third.catch(() => {});
  await settled();
  expect(done).toEqual([]);
  turns.end();
  await second;
  expect(done).toEqual(["second"]);
  turns.end();
  await fourth;
  await expect(third).rejects.toThrow("third");
  expect([done, await turns.run(() => 5)]).toEqual([["second", "third", "fourth"], 5]);
});
