import { eventually, type Running, type RunOptions, run } from "../support/processes";

export interface Command {
  readonly args: readonly string[];
  readonly options: RunOptions;
}

/** Maximum time that a process may take to stop. Docker and others kill it after ten seconds. */
const stopMs = 10_000;
const endedBySigterm = 128 + 15;

/** One of the processes under test, across restarts. */
export class Program {
  #running: Running | undefined;
  /** True if the current process is expected to exit. */
  #mayEnd = false;
  #isRemoved = false;
  lives = 0;

  /**
   * @param command Returns the command that starts it. `env` applies to one start only.
   * @param ready Text on its standard output once it works.
   * @param onEnd Called for an unexpected exit, or for a stop that went wrong.
   * @param keep Called with the output of each life after its end. Default: it is dropped.
   */
  constructor(
    readonly name: string,
    readonly command: (env: Record<string, string>) => Command,
    readonly ready: string,
    readonly onEnd: (detail: string) => void,
    readonly keep: (output: readonly string[]) => void = () => {},
  ) {}

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Output of the current process so far. */
  get output(): readonly string[] {
    return this.#running ? [...this.#running.stdout, ...this.#running.stderr] : [];
  }

  /** Starts the program unless it runs. Resolves when it works. */
  async start(env: Record<string, string> = {}): Promise<void> {
    const running = this.spawn(env);
    await Promise.race([
      eventually(() => running.stdout.some((line) => line.includes(this.ready)) || undefined, `${this.name} to work`, 60_000),
      running.exited,
    ]);
  }

  /**
   * Same as {@link start}, without waiting.
   *
   * @throws after it was removed, since an aborted run may be about to start it again.
   */
  spawn(env: Record<string, string> = {}): Running {
    if (this.#isRemoved) throw new Error(`${this.name} has been removed.`);
    if (this.#running) return this.#running;
    const { args, options } = this.command(env);
    const running = run(args, options);
    this.#running = running;
    this.#mayEnd = env["CRASH_AFTER"] !== undefined;
    this.lives += 1;
    void running.exited.then((code) => {
      if (this.#running === running) this.#running = undefined;
      this.keep([...running.stdout, ...running.stderr]);
      if (!this.#mayEnd) this.onEnd(`${this.name} ended by itself, with ${code}: ${lastWords(running)}`);
    });
    return running;
  }

  async kill(): Promise<void> {
    this.#mayEnd = true;
    await this.#running?.stop("SIGKILL");
  }

  /** Ends the program permanently. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await this.kill();
  }

  /** Resolves when it has died at a crash point. */
  async dies(timeoutMs: number): Promise<void> {
    await eventually(() => (this.#running ? undefined : true), `${this.name} to die`, timeoutMs);
  }

  /** Stops it gracefully. It must exit in time and with 0. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#mayEnd = true;
    const timer = setTimeout(() => {
      this.onEnd(`${this.name} did not stop within ${stopMs} ms: ${lastWords(running)}`);
      void running.stop("SIGKILL");
    }, stopMs);
    const code = await running.stop("SIGTERM");
    clearTimeout(timer);
    // A program that was stopped at its very start has no signal handler yet, and nothing to finish.
    const hadNotBegun = code === endedBySigterm && running.stdout.length + running.stderr.length === 0;
    if (code !== 0 && !hadNotBegun) this.onEnd(`${this.name} stopped with ${code}: ${lastWords(running)}`);
  }
}

function lastWords({ stdout, stderr }: Running): string {
  return [...stdout.slice(-2), ...stderr.slice(-3)].join(" | ") || "it said nothing";
}
