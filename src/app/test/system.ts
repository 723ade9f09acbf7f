// Test kit for a whole service: the real application and its consumers on a store in a temporary folder. No broker, no port.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiToken, type Scope, scopes } from "../../config/api-access";
import { type Config, readConfig } from "../../config/config";
import type { EventPattern, Matching } from "../../delivery/consumed-events";
import type { ConsumerOptions } from "../../delivery/consumer-options";
import type { DeadLetter } from "../../delivery/dead-letters";
import { type Engine, startEngine } from "../../engine/engine";
import { clientsBehind } from "../../http/client-address";
import { createLog } from "../../observe/logging";
import { Metrics } from "../../observe/metrics";
import { loadCatalogue } from "../../project/resources";
import { controlClock } from "../../timing/clock";
import { buildApp } from "../app";
import { loadProject } from "../project";
import { type TestClock, testClock } from "./clock";
import { projectConsumers, startConsumers, type TestConsumers } from "./consumers";
import { allDeadLetters, eventsIn } from "./kept";
import { requestsTo, type TestRequests } from "./requests";
import { settling, untilEventMs } from "./settling";

export interface TestServiceOptions<Patterns extends readonly unknown[] = readonly EventPattern[]> {
  /**
   * Consumers to run. Default: those in `consumers/` whose options have a handler, exported or run when the file is loaded.
   * Use `[]` for none.
   */
  // A consumer without `events` has no pattern: `unknown`, which must not become a mistake that hides the types of the others.
  readonly consumers?: { readonly [Index in keyof Patterns]: ConsumerOptions<Patterns[Index] & EventPattern> };
}

/**
 * The project's API, with the routes of `routes/` and the resources of `src/domain/`, and its consumers, for a test. Its own requests
 * need no token, and have no actor.
 */
export interface TestService extends TestRequests, AsyncDisposable {
  /**
   * Returns the same API as one that requires tokens, with requests that carry one.
   *
   * @param name who sends the requests: the subject of the actor. `as("admin")` is short for `as("admin", "admin")`.
   * @param scope default: `write`.
   * @param claims the claims of a JWT, such as `{ org_id: "A" }` for a resource with tenants.
   *   Default: a token in API_TOKEN, which has none.
   * @example
   * expect(await service.as("eve").status("GET", "/orders/1")).toBe(404);
   */
  as(name: string, scope?: Scope, claims?: Readonly<Record<string, unknown>>): TestRequests;
  /**
   * Resolves when every event is handled by every consumer, with all that follows from it. Retries and other things that are due later
   * wait for {@link clock}.
   *
   * @throws {Error} of a consumer that cannot continue.
   */
  settled(): Promise<void>;
  /** The clock of the service, which moves with the real time, and by `advance`. */
  readonly clock: TestClock;
  /** Resolves with the events so far, oldest first: all, or those that a pattern such as `order.*` selects. */
  events<const Pattern extends EventPattern = "#">(pattern?: Pattern): Promise<Matching<Pattern>[]>;
  /** Resolves with the dead letters of a queue, oldest first. */
  deadLetters(queue: string): Promise<DeadLetter[]>;
  /** Ends the consumers after the events in progress, closes the store and deletes its folder. `await using` does so automatically. */
  stop(): Promise<void>;
}

/**
 * Starts the project's API and consumers for a test, in this process. They have an empty store of their own, so tests do not affect each
 * other. The API does not listen.
 *
 * @throws {RouterError} for a mistake in `routes/`.
 * @throws {ConsumerError} for invalid options of a consumer.
 * @example
 * await using service = await testService();
 * await service.post("/tickets", { title: "Broken door" });
 * await service.settled();
 * expect(await service.get("/tickets/1")).toMatchObject({ state: "assigned" });
 */
export async function testService<const Patterns extends readonly unknown[]>({
  consumers,
}: TestServiceOptions<Patterns> = {}): Promise<TestService> {
  const { routes } = await loadProject();
  const folder = mkdtempSync(join(tmpdir(), "warren-test-"));
  const control = controlClock();
  const stopping = new AbortController();
  const log = createLog({ level: "silent", format: "json", stream: 2 });
  const config = testConfig(folder);
  let engine: Engine | undefined;
  let running: TestConsumers | undefined;
  const stop = async () => {
    stopping.abort();
    await running?.stop();
    await engine?.stop();
    control.release();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    engine = await startEngine(config, await loadCatalogue(), log);
    running = await startConsumers((consumers as readonly ConsumerOptions[] | undefined) ?? (await projectConsumers()), config, log);
    const dependencies = { ...engine.dependencies, clientOf: clientsBehind(config.trustedProxies), stopping: stopping.signal };
    const { system: store, deadLetters } = dependencies;
    const serve = (apiTokens: readonly ApiToken[], metrics = dependencies.metrics) =>
      buildApp({ routes, config: { ...config, apiTokens }, log, dependencies: { ...dependencies, metrics } });
    const settled = settling(store, running);
    const untilDueMs = async () => Math.min(control.untilDueMs(), await untilEventMs(store));
    return {
      ...requestsTo(serve([])),
      as(name, scope = isScope(name) ? name : "write", claims) {
        const token = crypto.randomUUID();
        return requestsTo(serve([{ token, scope, name, claims }], new Metrics(log)), token);
      },
      settled,
      clock: testClock(control, untilDueMs, settled),
      events: async <const Pattern extends EventPattern>(pattern = "#") => (await eventsIn(store.log, pattern)) as Matching<Pattern>[],
      deadLetters: (queue) => allDeadLetters(deadLetters, queue),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function testConfig(folder: string): Config {
  return readConfig({
    isTerminal: false,
    environment: { RABBITMQ_URL: "none", DATABASE_URL: `sqlite:${join(folder, "warren.db")}` },
  });
}

function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}
