import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../answers";
import { ask } from "../api";
import { mayChange } from "../mode";
import { counted, duration, number } from "../words";

const renewEveryMs = 500;
/** Jobs that ended longer ago are not shown when the page is opened, in milliseconds. */
const recentMs = 60_000;
/** Time in which every process hears of a new job, in milliseconds. */
const newMs = 10_000;

export interface Jobs {
  readonly shown: readonly Job[];
  readonly start: (bodies: readonly object[]) => Promise<void>;
  readonly stop: (id: string) => void;
  readonly dismiss: (id: string) => void;
}

/** The jobs of a queue. They go on without the page, which finds them again after a reload. */
export function useJobs(queue: string, onEnded: () => void): Jobs {
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  /** Jobs whose end is awaited: a short one has ended before it is seen to run. */
  const awaited = useRef(new Set<string>());
  const asking = useRef(0);
  const load = async () => {
    asking.current += 1;
    const answer = await ask<{ jobs: readonly Job[] }>("/dead-letter-jobs").catch(() => undefined);
    asking.current -= 1;
    if (!answer) return;
    setJobs((before) => withMissing(answer.jobs, before));
    for (const job of answer.jobs) if (isRunning(job)) awaited.current.add(job.id);
    const ended = answer.jobs.filter((job) => !isRunning(job) && awaited.current.delete(job.id));
    if (ended.length > 0) onEnded();
  };
  const mine = jobs.filter((job) => job.queue === queue);
  const running = mine.filter(isRunning).length;
  useEffect(() => void load(), [queue]);
  useEffect(() => {
    if (running === 0) return;
    // An answer may take its time, such as until one has signed in again.
    const timer = setInterval(() => asking.current === 0 && load(), renewEveryMs);
    return () => clearInterval(timer);
  }, [running]);
  const isShown = (job: Job) => isRunning(job) || Date.now() - Date.parse(job.finishedAt ?? "") < recentMs;
  return {
    shown: mine.filter((job) => isShown(job) && !dismissed.has(job.id)),
    start: async (bodies) => {
      // The API does one after the other.
      for (const body of bodies) {
        const job = await ask<Job>("/dead-letter-jobs", { method: "POST", body });
        awaited.current.add(job.id);
        setJobs((before) => [job, ...before]);
      }
      await load();
    },
    stop: (id) => void ask(`/dead-letter-jobs/${id}`, { method: "DELETE" }).then(load, load),
    dismiss: (id) => setDismissed((before) => new Set([...before, id])),
  };
}

export function JobPanel({ job, jobs }: { job: Job; jobs: Jobs }) {
  const { action, queue, total, looked, done } = job;
  const isGoing = isRunning(job);
  return (
    <section class="panel work" aria-label={isGoing ? "Work in progress" : "Work that has ended"}>
      <div>
        <b>{titleOf(job)}</b> {isGoing && <span class="quiet wide">{speedOf(job)}</span>}
        {(mayChange() || !isGoing) && (
          <button class="button small" type="button" onClick={() => (isGoing ? jobs.stop : jobs.dismiss)(job.id)}>
            {isGoing ? "Stop" : "Close"}
          </button>
        )}
      </div>
      {isGoing && (
        <progress value={looked} max={Math.max(1, total)} aria-label={`${number(looked)} of ${number(total)} dead letters of ${queue}`} />
      )}
      <p class={job.state === "failed" ? "mistake" : "quiet"} role="status">
        {job.error ??
          `${number(done)} ${done === 1 ? "is" : "are"} ${action === "redrive" ? "back on the queue" : "removed"}.${isGoing || job.state === "stopped" ? " The rest stays as it is." : ""}`}
      </p>
    </section>
  );
}

/**
 * Returns the jobs of an answer, and those that are missing there although they run: behind a load balancer, the process that answers may
 * not have heard of a new job yet.
 */
function withMissing(jobs: readonly Job[], before: readonly Job[]): readonly Job[] {
  const isNew = ({ createdAt }: Job) => Date.now() - Date.parse(createdAt) < newMs;
  const missing = before.filter((job) => isRunning(job) && isNew(job) && !jobs.some(({ id }) => id === job.id));
  return [...missing, ...jobs];
}

function isRunning({ state }: Job): boolean {
  return state === "running" || state === "queued";
}

function titleOf({ action, state, done, total, queue }: Job): string {
  const redrive = action === "redrive";
  if (state === "queued") return `${redrive ? "Redrive" : "Discard"} of ${queue} waits for the one before it`;
  if (state === "running") return `${redrive ? "Redriving" : "Discarding"} dead letters of ${queue}, ${number(total)} in all`;
  if (state === "failed") return `${redrive ? "The redrive" : "Discarding"} has failed`;
  return `${redrive ? "Redrove" : "Discarded"} ${counted(done, "dead letter")} of ${queue}${state === "stopped" ? ", then stopped" : ""}`;
}

function speedOf({ createdAt, looked, total }: Job): string {
  const ms = Date.now() - Date.parse(createdAt);
  if (looked === 0 || ms < 1000) return "";
  const perMs = looked / ms;
  return `${number(perMs * 1000)}/s, about ${duration(Math.max(1000, (total - looked) / perMs))} left`;
}
