// The API does what its OpenAPI document says, and nothing else: thousands of requests made up from the document alone.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { deadEvents, deadQueueInFile } from "./support/dead-letters";
import { temporaryFolder } from "./support/folder";
import { type OpenApi, type Operation, operationsOf } from "./support/openapi";
import { Client } from "./support/openapi-answers";
import { Known } from "./support/openapi-known";
import { type Plan, plans } from "./support/openapi-requests";
import { type Api, endAll, environment, startApi } from "./support/processes";

setDefaultTimeout(120_000);

/** With another seed, other requests; with the same, the same ones, though what they meet depends on their order. */
const { OPENAPI_SEED: seed = String(Math.floor(Math.random() * 2 ** 31)), OPENAPI_REQUESTS: count = "20000" } = process.env;
const atOnce = 32;
const token = "a-secret-for-tests";

/** Declared, but nothing that a single client sends brings them about here; each has a test of its own. */
const unreachable: Record<number, string> = { 429: "RATE_LIMIT is off", 500: "a mistake of ours", 503: "the store works" };

let folder: ReturnType<typeof temporaryFolder>;
let api: Api;
let operations: Operation[];
beforeAll(async () => {
  folder = temporaryFolder();
  mkdirSync(join(folder.path, "data", "consumers"), { recursive: true });
  await fillQueues();
  api = await startApi({ env: { ...environment(folder.path), API_TOKEN: token, RATE_LIMIT: "off" } });
  operations = operationsOf((await (await fetch(`${api.url}/swagger/json`)).json()) as OpenApi);
});
afterAll(async () => {
  await endAll();
  folder.remove();
});

const fillQueues = async () => {
  const dead = deadQueueInFile(() => folder.path);
  for (const queue of ["audit", "shop"]) await dead.fill(queue, deadEvents(5));
};

test(`${count} requests: declared statuses only, answers as their schemas say, valid ones taken, others refused (seed ${seed})`, async () => {
  console.log(`OPENAPI_SEED=${seed}`);
  const client = new Client(api.url, token, new Known());
  const seen = new Map(operations.map(({ name }) => [name, new Map<number, number>()]));
  let smallest: string | undefined;
  const property = fc.asyncProperty(plans(operations), async (plan: Plan) => {
    const { status, mistake, curl } = await client.send(plan);
    const statuses = seen.get(plan.operation.name);
    statuses?.set(status, (statuses.get(status) ?? 0) + 1);
    if (!mistake) return;
    smallest = `${mistake}\n${curl}`;
    throw new Error(smallest);
  });

  const sent = fc.sample(property, { seed: Number(seed), numRuns: Number(count) }).map(([plan], index) => ({ plan, index }));
  const failures: { index: number; story: string }[] = [];
  const work = async () => {
    for (let next = sent.shift(); next && failures.length < 5; next = sent.shift()) {
      const { plan, index } = next;
      if (index % 1000 === 999) await fillQueues();
      await property.run([plan]).then((failure) => {
        if (failure) failures.push({ index, story: smallest ?? "" });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  console.log(histogram(seen));
  for (const { index, story } of failures.slice(0, 1)) {
    // The same request again, and smaller ones as long as they fail, too.
    smallest = story;
    await fc.check(property, { seed: Number(seed), path: String(index), numRuns: 1 });
    console.log(`The smallest that fails:\n${smallest}`);
  }
  expect(failures.map(({ story }) => story)).toEqual([]);

  const unseen = operations.flatMap(({ name, answers }) => {
    const statuses = [...(seen.get(name)?.keys() ?? [])];
    const missing = [...answers.keys()].filter((status) => status >= 400 && !(status in unreachable) && !statuses.includes(status));
    return [...(statuses.some((status) => status < 300) ? [] : ["2xx"]), ...missing].map((status) => `${name} ${status}`);
  });
  expect(unseen).toEqual([]);
});

function histogram(seen: ReadonlyMap<string, ReadonlyMap<number, number>>): string {
  const line = ([name, statuses]: [string, ReadonlyMap<number, number>]) =>
    `${name.padEnd(36)}${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, times]) => `${status}×${times}`.padEnd(10))
      .join("")}`;
  return [...seen].map(line).join("\n");
}
