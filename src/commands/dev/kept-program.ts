import { Signal } from "../../timing/signal";
import type { End, Program } from "./program";

/** Editors write a file in several steps, in milliseconds. */
export const settleMs = 100;
/** Pause before a program that has crashed starts again, in milliseconds. It doubles with each crash in a row. */
const [firstPauseMs, longestPauseMs] = [1000, 300_000];
/** After this time, a crash counts as the first in a row, in milliseconds. */
const healthyMs = 60_000;

export interface KeptOptions {
  /** The program at the beginning of a sentence, such as `The API`. */
  readonly title: string;
  /** Starts the program. Resolves with undefined if it cannot start; the reason was then printed. */
  start(): Promise<Program | undefined>;
  say(text: string): void;
  /** True to start a program again after a crash. False to wait until a file changes. */
  readonly restarts: boolean;
}

/** Keeps a program running, and starts it again when its files change. */
export class KeptProgram {
  readonly #wake = new Signal();
  #isChanged = false;
  #stopSignal: NodeJS.Signals | undefined;
  #program: Program | undefined;
  #end: End | undefined;
  #crashes = 0;

  constructor(readonly options: KeptOptions) {}

  /** Starts the program again, because its files have changed. */
  change(): void {
    this.#isChanged = true;
    this.#wake.raise();
  }

  /** Ends the program gracefully, and {@link run} with it. */
  stop(signal: NodeJS.Signals): void {
    this.#stopSignal ??= signal;
    this.#wake.raise();
  }

  /** Ends the program at once. */
  kill(): void {
    this.#program?.kill("SIGKILL");
  }

  /** Resolves after the stop, with the exit code of the program that ran last. */
  async run(): Promise<number> {
    while (!this.#stopSignal) {
      await this.#runOnce();
      if (!this.#stopSignal && !this.#isChanged) await this.#rest();
      if (!this.#stopSignal && this.#isChanged) await this.#settle();
    }
    return this.#end?.code ?? 0;
  }

  /** Resolves when the program has ended: by itself, for a change, or for the stop. */
  async #runOnce(): Promise<void> {
    const startedAt = performance.now();
    this.#end = undefined;
    const program = await this.options.start();
    if (!program) return;
    this.#program = program;
    const ended = program.ended.then((end) => {
      this.#end = end;
      this.#wake.raise();
    });
    while (!this.#end && !this.#isChanged && !this.#stopSignal) await this.#wake.wait();
    // Only one signal: programs end at once at a second one.
    if (!this.#end) program.kill(this.#stopSignal ?? "SIGTERM");
    await ended;
    this.#program = undefined;
    if (performance.now() - startedAt >= healthyMs) this.#crashes = 0;
  }

  /** Says what has become of the program, and waits for a change, or until it starts again. */
  async #rest(): Promise<void> {
    const { title, say, restarts } = this.options;
    const pauseMs = restarts && this.#end?.code ? Math.min(longestPauseMs, firstPauseMs * 2 ** this.#crashes) : Number.POSITIVE_INFINITY;
    this.#crashes += 1;
    const next = Number.isFinite(pauseMs) ? `starting again in ${pauseMs / 1000} s.` : "it starts again when a file changes.";
    say(`${title} ${this.#end ? howEnded(this.#end) : "cannot start"}; ${next}`);
    const deadline = performance.now() + pauseMs;
    while (!this.#isChanged && !this.#stopSignal && performance.now() < deadline) await this.#wake.wait(deadline - performance.now());
  }

  /** Takes several changes as one. */
  async #settle(): Promise<void> {
    await Bun.sleep(settleMs);
    this.#isChanged = false;
    this.#crashes = 0;
  }
}

function howEnded({ code, signal }: End): string {
  return signal ? `was ended by ${signal}` : `ended with code ${code}`;
}
