import { messageOf } from "../../../src/observe/logging";
import { Random } from "../random";
import type { Violation } from "../violation";
import { check } from "./checker";
import type { ActingHistory } from "./history";
import { readStored, timersAt } from "./records";
import { type ActingStrike, strikes as all, possibleStrikes } from "./strikes";
import { type ActingOptions, ActingSystem } from "./system";

export interface ActingRunOptions extends Omit<ActingOptions, "random"> {
  readonly seed: number;
  /** Number of strikes. Default: each possible one once. */
  readonly strikes?: number | undefined;
  /** The strikes to choose from. Default: all. */
  readonly chosen?: readonly ActingStrike[] | undefined;
  /** Time without any progress, in milliseconds, after which what is missing counts as lost. Default: 30 s. */
  readonly patienceMs?: number | undefined;
  /** Called after each strike. */
  readonly onProgress?: (last: string, acknowledged: number) => void;
}

export interface ActingResult {
  readonly arrangement: ActingOptions["arrangement"];
  readonly seed: number;
  readonly strikes: readonly string[];
  readonly seconds: number;
  readonly figures: ActingFigures;
  readonly violations: readonly Violation[];
}

export interface ActingFigures {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly events: number;
  /** Number of events that handlers have made. */
  readonly made: number;
  /** Number of timers that have become events. */
  readonly timers: number;
  /** Number of events of the schedule. */
  readonly ticks: number;
}

/** Runs a system under load with strikes, in turn in random order; then drains and checks it. */
export async function runActing(options: ActingRunOptions): Promise<ActingResult> {
  const { seed, arrangement, onProgress = () => {} } = options;
  const startedAt = performance.now();
  const random = new Random(seed);
  const system = await ActingSystem.start({ ...options, random });
  const struck: string[] = [];
  try {
    const { clients } = system;
    const chosen = possibleStrikes(options.chosen ?? all, arrangement, system.hasClock);
    await clients.start();
    await clients.until(50);
    try {
      for (const strike of sequence(chosen, options.strikes ?? chosen.length, random)) {
        await clients.until(random.between(1, 30));
        await strike.strike(system);
        struck.push(strike.name);
        onProgress(strike.name, clients.acknowledged);
      }
    } catch (error) {
      // An expected condition did not occur. Check its effect on the events all the same.
      system.observe("stuck", messageOf(error));
    }
    await system.startAll();
    await clients.until(30).catch((error: unknown) => system.observe("stuck", messageOf(error)));
    await clients.stop();
    const lastTime = await system.passTime();
    await drain(system, lastTime, options.patienceMs ?? 30_000);
    const stored = await readStored(system.urls[0]);
    await system.stopAll();
    await system.records.read();
    const { log } = system.records;
    const { jumps, observations } = system;
    const effects = await system.records.effects();
    const history: ActingHistory = { requests: clients.requests, log, ...stored, effects, jumps, lastTime, observations };
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { arrangement, seed, strikes: struck, seconds, figures: figuresOf(history), violations: check(history) };
  } finally {
    await system.remove();
  }
}

/** Returns strikes that come in turn, each time in another random order. */
function sequence(chosen: readonly ActingStrike[], count: number, random: Random): ActingStrike[] {
  const strikes: ActingStrike[] = [];
  while (chosen.length > 0 && strikes.length < count) {
    const left = [...chosen];
    while (left.length > 0) strikes.push(...left.splice(random.between(0, left.length - 1), 1));
  }
  return strikes.slice(0, count);
}

/** Waits until all timers have become events and all events are handled, or nothing happens any more. */
async function drain({ records, urls }: ActingSystem, lastTime: number | undefined, patienceMs: number): Promise<void> {
  let count = 0;
  for (let newsAt = performance.now(); performance.now() - newsAt < patienceMs; await Bun.sleep(100)) {
    const effects = await records.effects();
    const read = (await records.read()) + effects.length;
    if (read !== count) newsAt = performance.now();
    count = read;
    // An event that is handled may set another timer.
    const goesOn = lastTime === undefined || records.hasTick(lastTime);
    if (goesOn && records.missing(effects) === 0 && (await timersAt(urls[0])) === 0 && (await records.read()) + effects.length === count)
      return;
  }
}

function figuresOf({ requests, log }: ActingHistory): ActingFigures {
  return {
    acknowledged: requests.filter(({ told }) => told === "done").length,
    unknown: requests.filter(({ told }) => told === "unknown").length,
    events: log.length,
    made: log.filter(({ actor, type }) => actor !== undefined && type !== "order.reminded").length,
    timers: log.filter(({ type }) => type === "order.reminded").length,
    ticks: log.filter(({ dueAt }) => dueAt !== undefined).length,
  };
}
