import { hostname } from "node:os";
import { messageOf } from "../observe/logging";
import type { Peers } from "../store/peers";
import { timestamp } from "../timing/clock";
import { atMost } from "../timing/pause";
import type { DeadLetterJob } from "./dead-letter-job";
import type { DeadLetters, DeadSelection } from "./dead-letters";
import { JobsElsewhere } from "./jobs-elsewhere";

/** Number of jobs that are remembered. */
const mostKept = 100;
/** Maximum time to wait for the dead letter in work when the process stops, in milliseconds. */
const stopTimeoutMs = 1000;

interface Running {
  job: DeadLetterJob;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** Number of dead letters that jobs of its queue have removed since it was requested. */
  removed: number;
}

/** The jobs of this process, in its memory, and those that other processes tell of. */
export class DeadLetterJobs {
  readonly #jobs = new Map<string, Running>();
  /** The newest job of each queue in this process. */
  readonly #newest = new Map<string, Running>();
  readonly #elsewhere: JobsElsewhere | undefined;

  /** @param peers other processes that serve the same store. They show and stop the jobs of this one. */
  constructor(
    readonly deadLetters: DeadLetters,
    peers?: Peers,
  ) {
    this.#elsewhere = peers && new JobsElsewhere(peers, { list: () => this.#own(), stop: (id) => this.#jobs.get(id)?.stop.abort() });
  }

  /**
   * Begins a job, after the others of its queue. It works on the dead letters that are there now, or that were there when
   * `selection.upTo` was made.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   * @throws {QueueUnavailable} if it cannot be reached.
   */
  async start(action: DeadLetterJob["action"], queue: string, selection: DeadSelection, by: string | null): Promise<DeadLetterJob> {
    await this.deadLetters.check(queue);
    const before = this.#newest.get(queue);
    const isFirst = before === undefined || before.job.finishedAt !== null;
    // What fails from now on is not selected, however long the job has to wait.
    const bounded = isFirst || selection.upTo !== undefined ? selection : { ...selection, to: selection.to ?? timestamp() };
    const id = Bun.randomUUIDv7();
    const stop = new AbortController();
    const job: DeadLetterJob = {
      ...({ id, action, queue, selection: bounded, state: isFirst ? "running" : "queued", looked: 0, total: 0, done: 0, by } as const),
      ...{ createdAt: timestamp(), finishedAt: null, error: null, process: { host: hostname(), pid: process.pid } },
    };
    const ended = Promise.withResolvers<void>();
    const running: Running = { job, stop, ended: ended.promise, removed: 0 };
    this.#jobs.set(id, running);
    this.#newest.set(queue, running);
    this.#forgetOld();
    void this.#inTurn(running, isFirst ? undefined : before).finally(() => {
      ended.resolve();
      this.#elsewhere?.tell(running.job);
    });
    this.#elsewhere?.tell(running.job);
    return running.job;
  }

  get(id: string): DeadLetterJob | undefined {
    return this.#jobs.get(id)?.job ?? this.#elsewhere?.get(id);
  }

  /** Returns the newest jobs, the newest first. */
  list(): DeadLetterJob[] {
    const all = [...this.#own(), ...(this.#elsewhere?.list() ?? [])];
    return all.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, mostKept);
  }

  /**
   * Ends a job early. What it has done stays done. Resolves when it has ended; for a job of another process also if that does not
   * say so in time.
   */
  async stop(id: string): Promise<DeadLetterJob | undefined> {
    const running = this.#jobs.get(id);
    if (!running) return this.#elsewhere?.stop(id);
    running.stop.abort();
    await running.ended;
    return running.job;
  }

  /** Ends all jobs of this process early. */
  async close(): Promise<void> {
    const running = [...this.#jobs.values()];
    for (const { stop } of running) stop.abort();
    await atMost(stopTimeoutMs, Promise.all(running.map(({ ended }) => ended)));
    this.#elsewhere?.close();
  }

  #own(): DeadLetterJob[] {
    return [...this.#jobs.values()].map(({ job }) => job);
  }

  async #inTurn(running: Running, before: Running | undefined): Promise<void> {
    await before?.ended;
    await this.#run(running);
    for (const other of this.#jobs.values())
      if (other.job.state === "queued" && other.job.queue === running.job.queue) other.removed += running.job.done;
    if (this.#newest.get(running.job.queue) === running) this.#newest.delete(running.job.queue);
  }

  async #run(running: Running): Promise<void> {
    const { action, queue, selection: asked } = running.job;
    const { upTo } = asked;
    const selection = upTo === undefined ? asked : { ...asked, upTo: this.deadLetters.boundAfter(upTo, running.removed) };
    const change = (to: Partial<DeadLetterJob>) => {
      running.job = { ...running.job, ...to };
    };
    const onProgress = (looked: number, total: number, done: number) => change({ looked, total, done });
    const { signal } = running.stop;
    change({ state: "running" });
    try {
      const done = signal.aborted ? 0 : await this.deadLetters[action](queue, selection, { onProgress, stop: signal });
      change({ done, state: signal.aborted ? "stopped" : "finished" });
    } catch (error) {
      change({ state: "failed", error: messageOf(error) });
    }
    change({ finishedAt: timestamp() });
  }

  #forgetOld(): void {
    for (const [id, { job }] of this.#jobs) {
      if (this.#jobs.size <= mostKept) return;
      if (job.finishedAt !== null) this.#jobs.delete(id);
    }
  }
}
