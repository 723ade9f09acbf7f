import { type Static, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { longestTold, type Peers } from "../store/peers";
import { now } from "../timing/clock";
import { atMost } from "../timing/pause";
import type { DeadLetterJob } from "./dead-letter-job";

/** Begins what a process tells of its jobs, and asks of those of others. */
const told = "job ";
const asked = "stop-job ";
/** Interval at which a process tells of its unfinished jobs, in milliseconds. */
const tellEveryMs = 1000;
/** Time without news after which the process of a job counts as ended, in milliseconds. */
const lostAfterMs = 10_000;
/** Maximum time to wait for the end of a job that is to stop, in milliseconds. */
const stopMs = 5000;
/** Maximum number of jobs of other processes that are remembered. */
const mostKept = 100;

const count = Type.Integer({ minimum: 0 });
const text = (maxLength: number) => Type.String({ maxLength });
const nullable = (maxLength: number) => Type.Union([Type.Null(), text(maxLength)]);
const Told = Type.Object({
  id: text(40),
  action: Type.Union([Type.Literal("redrive"), Type.Literal("discard")]),
  queue: text(255),
  selection: Type.Record(Type.String(), Type.Unknown()),
  state: Type.Union((["queued", "running", "finished", "stopped", "failed"] as const).map((state) => Type.Literal(state))),
  ...{ looked: count, total: count, done: count },
  ...{ createdAt: text(40), finishedAt: nullable(40), by: nullable(2000), error: nullable(longestTold) },
  process: Type.Object({ host: text(255), pid: count }),
});
let check: TypeCheck<typeof Told> | undefined;

interface Heard {
  readonly job: DeadLetterJob;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ended: PromiseWithResolvers<void>;
}

/** The jobs of this process, as others may use them. */
export interface OwnJobs {
  list(): DeadLetterJob[];
  stop(id: string): void;
}

/**
 * The jobs of other processes that serve the same store, as these tell of them, so that a client behind a load balancer sees and stops a
 * job whichever process answers. They are told of this process's jobs in turn.
 */
export class JobsElsewhere {
  readonly #heard = new Map<string, Heard>();
  #timer: Timer | undefined;

  constructor(
    readonly peers: Peers,
    readonly own: OwnJobs,
  ) {
    peers.onTold((message) => {
      if (message.startsWith(told)) this.#hear(message.slice(told.length));
      if (message.startsWith(asked)) own.stop(message.slice(asked.length));
    });
  }

  /** Tells the others of a job now, and of all unfinished ones from time to time. */
  tell(job: DeadLetterJob): void {
    this.peers.tell(textOf(job));
    if (job.finishedAt === null) this.#tellLater();
  }

  get(id: string): DeadLetterJob | undefined {
    const heard = this.#heard.get(id);
    return heard && shown(heard);
  }

  list(): DeadLetterJob[] {
    return [...this.#heard.values()].map(shown);
  }

  /** Asks the process of a job to stop it. Resolves when it has ended, or soon without news. */
  async stop(id: string): Promise<DeadLetterJob | undefined> {
    const heard = this.#heard.get(id);
    if (!heard) return undefined;
    if (heard.job.finishedAt === null) {
      this.peers.tell(asked + id);
      await atMost(stopMs, heard.ended.promise);
    }
    return this.get(id);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #tellLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const unfinished = this.own.list().filter(({ finishedAt }) => finishedAt === null);
      for (const job of unfinished) this.peers.tell(textOf(job));
      if (unfinished.length > 0) this.#tellLater();
    }, tellEveryMs);
    this.#timer.unref();
  }

  #hear(message: string): void {
    const job = jobIn(message);
    const before = job && this.#heard.get(job.id);
    // What was told earlier may come later.
    if (!job || (before && before.job.finishedAt !== null)) return;
    const ended = before?.ended ?? Promise.withResolvers<void>();
    this.#heard.set(job.id, { job, at: now(), ended });
    if (job.finishedAt !== null) ended.resolve();
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > mostKept && oldest !== undefined) this.#heard.delete(oldest);
  }
}

/** Returns a job as it was heard of last. One whose process says nothing more has ended with that. */
function shown({ job, at }: Heard): DeadLetterJob {
  if (job.finishedAt !== null || now() - at < lostAfterMs) return job;
  const { host, pid } = job.process;
  const error = `Process ${pid} on ${host} does not answer any more. What it has not done is still a dead letter.`;
  return { ...job, state: "failed", error, finishedAt: new Date(at + lostAfterMs).toISOString() };
}

function textOf(job: DeadLetterJob): string {
  const whole = told + JSON.stringify(job);
  if (Buffer.byteLength(whole) <= longestTold) return whole;
  // A long list of ids, or a long error.
  return told + JSON.stringify({ ...job, selection: {}, by: job.by?.slice(0, 200) ?? null, error: job.error?.slice(0, 1000) ?? null });
}

function jobIn(message: string): DeadLetterJob | undefined {
  check ??= TypeCompiler.Compile(Told);
  try {
    const value: unknown = JSON.parse(message);
    return check.Check(value) ? (value as Static<typeof Told> as DeadLetterJob) : undefined;
  } catch {
    return undefined;
  }
}
