import { setSystemTime, spyOn } from "bun:test";

/** The two clocks of a process, as a test moves them. */
export class PassingTime {
  readonly #real = performance.now.bind(performance);
  #passedMs = 0;
  #putForwardMs = 0;
  readonly #spy = spyOn(performance, "now").mockImplementation(() => this.#real() + this.#passedMs);

  /** Lets time pass. */
  pass(ms: number): void {
    this.#passedMs += ms;
    this.#setWallClock();
  }

  /** Puts the clock on the wall forward, or back; no time passes. */
  putForward(ms: number): void {
    this.#putForwardMs += ms;
    this.#setWallClock();
  }

  /** Lets the clocks be as they are. */
  restore(): void {
    setSystemTime();
    this.#spy.mockRestore();
  }

  #setWallClock(): void {
    setSystemTime(new Date(performance.timeOrigin + this.#real() + this.#passedMs + this.#putForwardMs));
  }
}
