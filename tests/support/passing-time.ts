import { setSystemTime, spyOn } from "bun:test";

/** Controls the two clocks of a process. */
export class PassingTime {
  readonly #real = performance.now.bind(performance);
  #passedMs = 0;
  #putForwardMs = 0;
  readonly #spy = spyOn(performance, "now").mockImplementation(() => this.#real() + this.#passedMs);

  /** Lets time pass on both clocks. */
  pass(ms: number): void {
    this.#passedMs += ms;
    this.#setWallClock();
  }

  /** Moves the wall clock forward or back without letting time pass. */
  putForward(ms: number): void {
    this.#putForwardMs += ms;
    this.#setWallClock();
  }

  /** Restores the real clocks. */
  restore(): void {
    setSystemTime();
    this.#spy.mockRestore();
  }

  #setWallClock(): void {
    setSystemTime(new Date(performance.timeOrigin + this.#real() + this.#passedMs + this.#putForwardMs));
  }
}
