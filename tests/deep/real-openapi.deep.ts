// The API does what its OpenAPI document says, and nothing else: thousands of requests made up from the document alone.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { messageOf } from "../../src/observe/logging";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { isOwn, type OpenApi, operationsOf } from "../support/openapi";
import { Client } from "../support/openapi-answers";
import { Known } from "../support/openapi-known";
import { type Plan, plans } from "../support/openapi-requests";
import { environment, startApi } from "../support/processes";
import { useFolder } from "../support/use-folder";

setDefaultTimeout(120_000);

/** With another seed, other requests; with the same, the same ones, though what they meet depends on their order. */
const { OPENAPI_SEED: seed = "20261125", OPENAPI_REQUESTS: count = "20000" } = process.env;
const atOnce = 32;

/** Declared, but nothing that is sent here brings them about; each has a test of its own. */
const unreachable: readonly (readonly [RegExp, string])[] = [
  [/^DELETE \/replays\/\{id\} 409$/, "every replay is run by the API"],
  [/ 410$/, "no event is too old"],
  [/ 421$/, "every request is for this machine"],
  [/ 429$/, "RATE_LIMIT is off"],
  [/ 50\d$/, "a mistake of ours, or a store that does not work"],
];

const folder = useFolder();
beforeEach(async () => {
  mkdirSync(join(folder.path, "data", "consumers"), { recursive: true });
  await fillQueues();
});

async function fillQueues(): Promise<void> {
  const dead = deadQueueInFile(() => folder.path);
  for (const queue of ["audit", "shop"]) await dead.fill(queue, deadEvents(5));
}

const services: [string, number, { right?: string; limited?: string }][] = [
  ["a service with tokens", 0.75, { right: "a-secret-for-tests", limited: "a-secret-that-reads" }],
  ["an open service", 0.25, {}],
];
test.each(services)(`%s: declared statuses only, answers as their schemas say (seed ${seed})`, async (_, share, tokens) => {
  const env = tokens.right ? { API_TOKEN: `${tokens.right},read:${tokens.limited}` } : {};
  const api = await startApi({ env: { ...environment(folder.path), ...env, RATE_LIMIT: "off" } });
  const operations = operationsOf((await (await fetch(`${api.url}/swagger/json`)).json()) as OpenApi).filter(isOwn);
  const client = new Client(api.url, tokens, new Known());
  const seen = new Map(operations.map(({ name }) => [name, new Map<number, number>()]));
  const property = fc.asyncProperty(plans(operations), async (plan: Plan) => {
    const { status, mistake, curl } = await client.send(plan);
    const statuses = seen.get(plan.operation.name);
    statuses?.set(status, (statuses.get(status) ?? 0) + 1);
    if (mistake) throw new Error(`${mistake}\n${curl}`);
  });

  const numRuns = Math.ceil(Number(count) * share);
  const waiting = fc.sample(property, { seed: Number(seed), numRuns }).map(([plan], index) => ({ plan, index }));
  const failures: { index: number; story: string }[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next && failures.length < 5; next = waiting.shift()) {
      const { plan, index } = next;
      if (index % 1000 === 999) await fillQueues();
      const failure = await property.run([plan]);
      if (failure) failures.push({ index, story: messageOf("error" in failure ? failure.error : failure) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  console.log(`OPENAPI_SEED=${seed}, ${numRuns - waiting.length} requests\n${histogram(seen)}`);
  for (const { index } of failures.slice(0, 1)) {
    // The same request again, and smaller ones as long as they fail, too.
    const { errorInstance } = await fc.check(property, { seed: Number(seed), path: String(index), numRuns: 1 });
    console.log(`The smallest that fails: ${errorInstance ? messageOf(errorInstance) : "(it does not fail again)"}`);
  }
  expect(failures.map(({ story }) => story)).toEqual([]);

  // Fewer may miss what is rare.
  if (numRuns < 10_000) return;
  const unseen = operations.flatMap(({ name, answers }) => {
    const statuses = [...(seen.get(name)?.keys() ?? [])];
    const missing = [...answers.keys()]
      .filter((status) => status >= 400 && !statuses.includes(status))
      .map((status) => `${name} ${status}`);
    const expected = missing.filter((one) => !unreachable.some(([pattern]) => pattern.test(one)));
    return statuses.some((status) => status < 300) ? expected : [`${name} 2xx`, ...expected];
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
