import { hostname } from "node:os";
import { messageOf } from "../observe/logging";
import { timestamp } from "../timing/clock";
import { atMost } from "../timing/pause";
import type { DeadLetters, DeadSelection } from "./dead-letters";

/** Work on many dead letters of a queue, which goes on after the request that began it. */
export interface DeadLetterJob {
  readonly id: string;
  readonly action: "redrive" | "discard";
  readonly queue: string;
  readonly selection: DeadSelection;
  readonly state: "running" | "finished" | "stopped" | "failed";
  /** Number of dead letters that were looked at. */
  readonly looked: number;
  /** Number of dead letters to look at. */
  readonly total: number;
  /** Number of those redriven or discarded. Known at the end. */
  readonly done: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Who began it. Null without tokens. */
  readonly by: string | null;
  readonly error: string | null;
  /** The process that works on it. It ends with that. */
  readonly process: { readonly host: string; readonly pid: number };
}

/** Number of jobs that are remembered. */
const mostKept = 100;
/** Maximum time to wait for the dead letter in work when the process stops, in milliseconds. */
const stopTimeoutMs = 1000;

/** Thrown for a job of a queue on which another one works. */
export class QueueInWork extends Error {
  override readonly name = "QueueInWork";
}

interface Running {
  job: DeadLetterJob;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The jobs of this process, in its memory. */
export class DeadLetterJobs {
  readonly #jobs = new Map<string, Running>();

  constructor(readonly deadLetters: DeadLetters) {}

  /**
   * Begins a job. It works on the dead letters that are there now, or that were there when `selection.upTo` was made.
   *
   * @throws {UnknownQueue} if the queue does not exist.
   * @throws {QueueUnavailable} if it cannot be reached.
   * @throws {QueueInWork} if another job works on the queue.
   */
  async start(action: DeadLetterJob["action"], queue: string, selection: DeadSelection, by: string | null): Promise<DeadLetterJob> {
    await this.deadLetters.check(queue);
    for (const { job } of this.#jobs.values())
      if (job.queue === queue && job.state === "running")
        throw new QueueInWork(`The job ${job.id} works on the dead letters of "${queue}".`);
    const id = Bun.randomUUIDv7();
    const stop = new AbortController();
    const job: DeadLetterJob = {
      ...({ id, action, queue, selection, state: "running", looked: 0, total: 0, done: 0, by } as const),
      ...{ createdAt: timestamp(), finishedAt: null, error: null, process: { host: hostname(), pid: process.pid } },
    };
    const ended = Promise.withResolvers<void>();
    const running: Running = { job, stop, ended: ended.promise };
    this.#jobs.set(id, running);
    this.#forgetOld();
    void this.#run(running).finally(ended.resolve);
    return running.job;
  }

  get(id: string): DeadLetterJob | undefined {
    return this.#jobs.get(id)?.job;
  }

  /** Returns the newest jobs, the newest first. */
  list(): DeadLetterJob[] {
    return [...this.#jobs.values()].map(({ job }) => job).reverse();
  }

  /** Ends a job early. What it has done stays done. Resolves when it has ended. */
  async stop(id: string): Promise<DeadLetterJob | undefined> {
    const running = this.#jobs.get(id);
    running?.stop.abort();
    await running?.ended;
    return running?.job;
  }

  /** Ends all jobs early. */
  async close(): Promise<void> {
    const running = [...this.#jobs.values()];
    for (const { stop } of running) stop.abort();
    await atMost(stopTimeoutMs, Promise.all(running.map(({ ended }) => ended)));
  }

  async #run(running: Running): Promise<void> {
    const { action, queue, selection } = running.job;
    const change = (to: Partial<DeadLetterJob>) => {
      running.job = { ...running.job, ...to };
    };
    const onProgress = (looked: number, total: number, done: number) => change({ looked, total, done });
    const { signal } = running.stop;
    try {
      const done = await this.deadLetters[action](queue, selection, { onProgress, stop: signal });
      change({ done, state: signal.aborted ? "stopped" : "finished" });
    } catch (error) {
      change({ state: "failed", error: messageOf(error) });
    }
    change({ finishedAt: timestamp() });
  }

  #forgetOld(): void {
    for (const [id, { job }] of this.#jobs) {
      if (this.#jobs.size <= mostKept) return;
      if (job.state !== "running") this.#jobs.delete(id);
    }
  }
}
