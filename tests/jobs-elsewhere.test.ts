// Jobs of dead letters that another process of the same store works on: seen and stopped from any process.
import { afterEach, beforeEach, expect, setSystemTime, test } from "bun:test";
import { DeadLetterJobs } from "../src/delivery/dead-letter-jobs";
import type { DeadLetters, Watch } from "../src/delivery/dead-letters";
import { longestTold } from "../src/store/peers";
import { joined } from "./support/joined-peers";
import { eventually } from "./support/processes";

/** Dead letters on which work goes on until the test, or a stop, ends it. */
class Held {
  readonly end = Promise.withResolvers<void>();
  progress: Watch["onProgress"];
  readonly redrive = async (_queue: string, _selection: unknown, { onProgress, stop }: Watch = {}): Promise<number> => {
    this.progress = onProgress;
    onProgress?.(3, 10, 3);
    stop?.addEventListener("abort", () => this.end.resolve(), { once: true });
    await this.end.promise;
    return 3;
  };
  readonly letters = { check: async () => {}, redrive: this.redrive, boundAfter: (upTo: number) => upTo } as unknown as DeadLetters;
}

let held: Held;
let here: DeadLetterJobs;
let there: DeadLetterJobs;
let told: readonly string[];
beforeEach(() => {
  held = new Held();
  const { processes, told: texts } = joined(2);
  [here, there] = processes.map((peers) => new DeadLetterJobs(held.letters, peers)) as [DeadLetterJobs, DeadLetterJobs];
  told = texts;
});
afterEach(async () => {
  setSystemTime();
  await Promise.all([here.close(), there.close()]);
});

test("one shows the jobs of the other, with their progress and their end", async () => {
  const job = await here.start("redrive", "stock", { reason: "rejected" }, "ada");
  expect(there.get(job.id)).toMatchObject({ id: job.id, state: "running", by: "ada", selection: { reason: "rejected" } });
  held.progress?.(7, 10, 7);
  await eventually(() => there.list()[0]?.looked === 7, "its progress");
  held.end.resolve();
  await eventually(() => there.get(job.id)?.state === "finished", "its end");
  expect(there.list()).toEqual(here.list());
});

test("the newest are first, whichever process they are of", async () => {
  const ids: string[] = [];
  for (const jobs of [here, there, here]) ids.unshift((await jobs.start("redrive", `queue-${ids.length}`, {}, null)).id);
  for (const jobs of [here, there]) expect(jobs.list().map(({ id }) => id)).toEqual(ids);
});

test("one stops a job of the other", async () => {
  const job = await here.start("redrive", "stock", {}, null);
  expect(await there.stop(job.id)).toMatchObject({ state: "stopped", done: 3 });
  expect(here.get(job.id)?.state).toBe("stopped");
  expect(await there.stop("unknown")).toBeUndefined();
});

test("a job whose process says nothing more has failed, unless it is heard of again", async () => {
  const job = await here.start("redrive", "stock", {}, null);
  // As if its process were killed.
  await here.close();
  const { processes } = joined(2);
  const other = new DeadLetterJobs(held.letters, processes[0]);
  const silent = told.find((text) => text.includes(job.id) && text.includes("running")) ?? "";
  processes[1]?.tell(silent);
  expect(other.get(job.id)?.state).toBe("running");
  setSystemTime(Date.now() + 11_000);
  expect(other.get(job.id)).toMatchObject({ state: "failed", error: expect.stringContaining("does not answer any more") });
  processes[1]?.tell(silent);
  expect(other.get(job.id)?.state).toBe("running");
  await other.close();
});

test("a selection that is too long for the others is left out, and what is no job is not taken", async () => {
  const ids = Array.from({ length: 500 }, () => Bun.randomUUIDv7());
  const job = await here.start("redrive", "stock", { ids } as never, null);
  expect(there.get(job.id)).toMatchObject({ id: job.id, selection: {}, state: "running" });
  expect(told.every((text) => Buffer.byteLength(text) <= longestTold)).toBe(true);
  const { processes } = joined(2);
  const other = new DeadLetterJobs(held.letters, processes[0]);
  for (const text of ["job {", "job {}", `job ${JSON.stringify({ ...job, state: "odd" })}`, "stop-job nothing"]) processes[1]?.tell(text);
  expect(other.list()).toEqual([]);
});
