import { drainMicrotasks } from "bun:jsc";
import type { Process } from "./process";
import type { Random } from "./random";

/** A place where things happen one after another: the timers of a process, one way of a connection, a queue. */
export interface Lane {
  /** When the next thing can happen, in the world's milliseconds; infinite: nothing will. */
  readyAt(): number;
  /** Lets it happen. */
  run(): void;
}

/** Now and then time passes though something could happen, so that a timer overtakes what is on its way. */
const idleShare = 1 / 24;
const idleMs = 60;
/** So much time passes in one step at most. */
const longestMs = 1000;

/**
 * The whole of a simulation: its time, and chance, which says what happens next. Everything that happens is one step of
 * one lane, and the promises that hang on it are settled before the next one.
 */
export class World {
  now = 0;
  steps = 0;
  /** The process whose code runs now. */
  current: Process | undefined;
  readonly lanes = new Set<Lane>();
  readonly trace: string[] = [];
  /** What was found to be wrong. */
  readonly wrong: string[] = [];

  constructor(
    readonly chance: Random,
    readonly note: (line: string) => void = (line) => this.trace.push(`${this.steps} ${this.now.toFixed(1)} ms  ${line}`),
  ) {}

  /** Does something for the simulation itself, while code of a process runs. */
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

  /** Runs code of a process, and all that follows from it at once. */
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

  /** One thing happens. False: nothing is left to happen, ever. */
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
