import { drainMicrotasks } from "bun:jsc";
import type { Process } from "./process";
import type { Random } from "./random";

/** A source of sequential events: the timers of a process, one direction of a connection, or a queue. */
export interface Lane {
  /** Returns the time of the next event, in the world's milliseconds; Infinity if there is none. */
  readyAt(): number;
  /** Runs the next event. */
  run(): void;
}

/** Share of steps in which time passes although an event is ready, so that a timer can overtake messages in transit. */
const idleShare = 1 / 24;
const idleMs = 60;
/** Maximum time that passes in one step. */
const longestMs = 1000;

/**
 * The state of a simulation: its time, and the randomness that selects the next event. Each event is one step of one lane. The promises
 * that depend on it settle before the next step.
 */
export class World {
  now = 0;
  steps = 0;
  /** Process whose code is running. */
  current: Process | undefined;
  readonly lanes = new Set<Lane>();
  readonly trace: string[] = [];
  /** Problems found so far. */
  readonly wrong: string[] = [];

  constructor(
    readonly chance: Random,
    readonly note: (line: string) => void = (line) => this.trace.push(`${this.steps} ${this.now.toFixed(1)} ms  ${line}`),
  ) {}

  /** Runs code of the simulation itself while code of a process is running. */
  aside<T>(look: () => T): T {
    const { current } = this;
    this.current = undefined;
    try {
      return look();
    } finally {
      this.current = current;
    }
  }

  breach(what: string): void {
    if (this.wrong.includes(what)) return;
    this.wrong.push(what);
    this.note(`WRONG: ${what}`);
  }

  /** Runs code of a process, and everything that follows from it immediately. */
  enter(process: Process, work: () => void): void {
    this.current = process;
    try {
      if (process.isAlive) work();
    } catch (error) {
      if (process.isAlive) this.breach(`${process.name} would have crashed: ${String(error)}`);
    }
    drainMicrotasks();
    this.current = undefined;
    if (!process.isAlive) process.bury();
  }

  /** Runs one event. Returns false if no event can ever follow. */
  step(): boolean {
    this.steps += 1;
    const ready: Lane[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes) {
      const at = lane.readyAt();
      if (at <= this.now) ready.push(lane);
      else if (at < next) next = at;
    }
    if (ready.length === 0 && next === Number.POSITIVE_INFINITY) return false;
    if (ready.length === 0 || (next - this.now < idleMs && this.chance.chance(idleShare))) this.now = Math.min(next, this.now + longestMs);
    else this.chance.pick(ready).run();
    this.now += this.chance.next() * 0.5;
    return true;
  }
}
