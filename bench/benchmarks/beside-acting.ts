import { cpSync } from "node:fs";
import { environment, run, send } from "../../tests/support/processes";
import { type Benchmark, type Contender, type Context, mustEqual, type Sample } from "../benchmark";
import type { Timing } from "../clock";
import { programResult } from "../programs";
import { sampleItem } from "../sample-events";
import { startWarren } from "../servers";
import { percentile } from "../statistics";

/** Interval between two requests of a kind. */
const everyMs = 10;

/** Sends requests at a steady rate until it is stopped. Returns a function that stops it, and resolves with percentiles of their durations. */
function probe(url: string): () => Promise<Sample> {
  const [gets, posts]: [number[], number[]] = [[], []];
  const sent: Promise<void>[] = [];
  const timed = async (durations: number[], request: () => Promise<Response>) => {
    const started = performance.now();
    const answer = await request();
    await answer.text();
    mustEqual({ "is answered": Number(answer.ok), expected: 1 });
    durations.push(performance.now() - started);
  };
  let id = 0;
  const timer = setInterval(() => {
    id = (id % 1000) + 1;
    sent.push(
      timed(gets, () => send("GET", `${url}/items/${id}`)),
      timed(posts, () => send("POST", `${url}/items`, sampleItem)),
    );
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await Promise.all(sent);
    const of = (durations: readonly number[]) => [percentile(durations, 0.5), percentile(durations, 0.99)] as const;
    const [[getP50Ms, getP99Ms], [postP50Ms, postP99Ms]] = [of(gets), of(posts)];
    return { getP50Ms, getP99Ms, postP50Ms, postP99Ms };
  };
}

const contender = (name: string, during: (folder: string, events: number, seconds: number) => Promise<number>): Contender => ({
  name,
  async run({ events, seconds, folder, seeded }: Context) {
    cpSync(await seeded({ items: events, updates: 0 }), folder, { recursive: true });
    const api = await startWarren(folder);
    await probe(api.url)();
    const warmUp = probe(api.url);
    await Bun.sleep(1000);
    await warmUp();
    const end = probe(api.url);
    const perSecond = await during(folder, events, seconds);
    const sample = await end();
    await api.stop();
    return { ...sample, perSecond };
  },
});

async function act(folder: string, events: number): Promise<number> {
  const program = run(["bench/programs/act.ts"], { env: { ...environment(folder), EVENTS: String(events), HOT: "0" } });
  const { count, seconds } = await programResult<Timing>(program);
  await program.stop();
  return count / seconds;
}

async function wait(_folder: string, _events: number, seconds: number): Promise<number> {
  await Bun.sleep(seconds * 1000);
  return 0;
}

export const besideActing: Benchmark = {
  name: "beside-acting",
  title: "200 requests a second beside a consumer whose handlers change records at full speed vs. without it",
  needs: [],
  columns: [
    { key: "getP99Ms", label: "GET p99 ms", digits: 2, aim: { atMost: 3 } },
    { key: "getP50Ms", label: "GET p50 ms", digits: 2 },
    { key: "postP99Ms", label: "POST p99 ms", digits: 2, aim: { atMost: 3 } },
    { key: "postP50Ms", label: "POST p50 ms", digits: 2 },
    { key: "perSecond", label: "events/s of the consumer", digits: 0 },
  ],
  warren: contender("beside it", act),
  baseline: contender("without", wait),
};
