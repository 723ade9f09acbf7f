import { afterEach, beforeEach, expect, type Mock, mock, spyOn, test } from "bun:test";
import { createLog } from "../src/observe/logging";
import { onStopSignal } from "../src/timing/stop-signal";
import { eventually } from "./support/processes";

/** So long that no timer of a test ends the process that runs the others. */
const afterAllTests = 2 ** 31 - 1;
const log = createLog({ level: "silent", format: "json", stream: 2 });

let exit: Mock<typeof process.exit>;
beforeEach(() => {
  exit = spyOn(process, "exit").mockImplementation((() => {}) as () => never);
});
afterEach(() => {
  exit.mockRestore();
  process.removeAllListeners("SIGINT");
  process.removeAllListeners("SIGTERM");
});

const never = () => new Promise<void>(() => {});
const exits = () => exit.mock.calls.map(([code]) => code);
const exited = () => eventually(() => (exits().length > 0 ? exits() : undefined), "an exit");

test("the first signal stops, and exits with 0", async () => {
  const stop = mock(async () => {});
  onStopSignal(log, afterAllTests, stop);
  process.emit("SIGTERM", "SIGTERM");
  expect([await exited(), stop.mock.calls.length]).toEqual([[0], 1]);
});

test("a stop that fails, or takes too long, exits with 1", async () => {
  onStopSignal(log, afterAllTests, () => Promise.reject(new Error("no")));
  process.emit("SIGTERM", "SIGTERM");
  expect(await exited()).toEqual([1]);
  process.removeAllListeners("SIGINT");
  onStopSignal(log, 20, never);
  process.emit("SIGINT", "SIGINT");
  await eventually(() => (exits().length > 1 ? true : undefined), "an exit");
  expect(exits()).toEqual([1, 1]);
});

test("another signal exits at once", () => {
  onStopSignal(log, afterAllTests, never);
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGINT", "SIGINT");
  expect(exits()).toEqual([130]);
});

test("the same signal in the same moment is its echo; later, it exits at once", async () => {
  const stop = mock(never);
  onStopSignal(log, afterAllTests, stop);
  for (let n = 0; n < 5; n += 1) process.emit("SIGINT", "SIGINT");
  expect([exits(), stop.mock.calls.length]).toEqual([[], 1]);
  await eventually(() => {
    process.emit("SIGINT", "SIGINT");
    return exits().length > 0 ? true : undefined;
  }, "an exit");
  expect(exits()[0]).toBe(130);
});
