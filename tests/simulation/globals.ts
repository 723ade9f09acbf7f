import fs from "node:fs";
import { localFunctions } from "./local-sockets";
import type { World } from "./world";

const names = ["Date", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "fetch"] as const;
/** Start time of every simulation: soon after it, a schedule has an event. */
export const epoch = Date.UTC(2026, 1, 18, 0, 0, 58);

/**
 * Replaces real time and randomness by the world's for the code of the simulated processes. Returns a function that restores the globals.
 */
export function replaceGlobals(world: World): () => void {
  const real = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
  const { now } = performance;
  const { watch } = fs;
  const { random } = Math;
  const { sleep, randomUUIDv7, serve, file } = Bun;
  const { fetch, ...local } = localFunctions(world);
  const RealDate = Date;
  const wall = () => epoch + Math.floor(world.now) + (world.current?.clockOffsetMs ?? 0);
  const process = () => {
    if (!world.current) throw new Error("No simulated process runs now.");
    return world.current;
  };
  const setTimer = (callback: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) =>
    process().setTimer(() => callback(...values), ms, false);
  const setRepeating = (callback: () => void, ms = 0) => process().setTimer(callback, ms, true);
  const clear = (handle?: object) => {
    if (handle) world.current?.clearTimer(handle);
  };

  class SimulatedDate extends RealDate {
    constructor(...values: unknown[]) {
      if (values.length === 0) super(wall());
      else super(...(values as [number]));
    }
    static override now = wall;
  }

  Object.assign(globalThis, {
    Date: SimulatedDate,
    setTimeout: setTimer,
    setInterval: setRepeating,
    setImmediate: (callback: (...values: unknown[]) => void, ...values: unknown[]) => process().setImmediate(() => callback(...values)),
    clearTimeout: clear,
    clearInterval: clear,
    fetch,
  });
  performance.now = () => world.now;
  // The operating system does not know the simulated time. Without watching, consumers poll.
  fs.watch = () => {
    throw new Error("Nothing is watched here.");
  };
  Object.defineProperty(performance, "timeOrigin", { value: epoch, configurable: true });
  Object.assign(Bun, local);
  Math.random = () => world.chance.next();
  Bun.sleep = (ms) => new Promise((resolve) => void process().setTimer(resolve, Number(ms), false));
  Bun.randomUUIDv7 = ((_encoding?: string, time: number | Date = wall()) =>
    uuidv7(Number(time), () => world.chance.next())) as typeof randomUUIDv7;
  return () => {
    Object.assign(globalThis, real);
    performance.now = now;
    fs.watch = watch;
    Reflect.deleteProperty(performance, "timeOrigin");
    Math.random = random;
    Object.assign(Bun, { sleep, randomUUIDv7, serve, file });
  };
}

let lastMs = 0;
let sequence = 0;

/** Returns a UUID per RFC 9562, with a counter per its method 1, so that IDs of the same millisecond are ordered. */
function uuidv7(ms: number, chance: () => number): string {
  sequence = ms === lastMs ? sequence + 1 : 0;
  lastMs = ms;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const time = hex(ms, 12);
  const bits = hex(Math.floor(chance() * 2 ** 32), 8) + hex(Math.floor(chance() * 2 ** 16), 4);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(sequence % 4096, 3)}-8${bits.slice(0, 3)}-${bits}`;
}
