import { join } from "node:path";
import type { AnyElysia } from "elysia";
import { crud } from "warren/crud";
import type { Resource } from "warren/resource";
import items from "../../routes/items";
import { type AppOptions, buildApp } from "../../src/app/app";
import health from "../../src/built-in/health";
import metricsRoute from "../../src/built-in/metrics";
import { readConfig } from "../../src/config/config";
import { shownSettings } from "../../src/config/settings";
import { consumers } from "../../src/consumers.generated";
import { DeadLetterJobs } from "../../src/delivery/dead-letter-jobs";
import { Replays } from "../../src/delivery/replays";
import { EmbeddedDeadLetters } from "../../src/embedded/dead-letters";
import { EmbeddedReplays } from "../../src/embedded/replays";
import { queueRemover } from "../../src/engine/remove-queue";
import { findTimeline } from "../../src/engine/timelines";
import { clientsBehind } from "../../src/http/client-address";
import { storesFor } from "../../src/http/request-store";
import { Metrics } from "../../src/observe/metrics";
import type { LoadedRoute } from "../../src/routing/router";
import { Catalogue } from "../../src/schema/catalogue";
import { embeddedQueues } from "../../src/status/queue-states";
import { topologyOf } from "../../src/status/topology";
import { consumerStores, openStore } from "../../src/store/open";
import { openSqliteStore } from "../../src/store/sqlite/store";
import type { Store } from "../../src/store/store";
import { Pace } from "../../src/timing/pace";
import { sqliteIn } from "./engines";
import { temporaryFolder } from "./folder";
import { liveStatusOf } from "./live-status";
import { loggedEvents } from "./logged-events";
import { pendingStore } from "./pending-store";
import { type PostgresSchema, schemaIn, sharedPostgres } from "./postgres";
import { type LogLine, recordedLog } from "./recorded-log";
import { catalogue, order } from "./resources";
import { memberOf } from "./use-store";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json<T = unknown>(): T;
}

export interface TestApi {
  readonly app: AnyElysia;
  readonly store: Store;
  readonly metrics: Metrics;
  /** The file of the store, if that is in SQLite. */
  readonly databaseFile: string;
  /** Folder in which a timeline looks for consumers' files. */
  readonly consumersDir: string;
  readonly lines: readonly LogLine[];
  /** Sends a body as JSON, or unchanged if the headers give its type. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Returns every event in the log, as consumers receive it. */
  events(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const shipped: readonly LoadedRoute[] = [
  { file: "items.ts", path: "/items", route: items },
  { file: "orders.ts", path: "/orders", route: crud(order) },
  { file: "health.ts", path: "/health", route: health },
  { file: "metrics.ts", path: "/metrics", route: metricsRoute },
];

export interface TestOptions {
  /** Wraps the store that the routes use. */
  readonly wrap?: (store: Store) => Store;
  readonly routes?: readonly LoadedRoute[];
  /** Default: items and orders. */
  readonly resources?: readonly Resource[];
  readonly config?: Partial<AppOptions["config"]>;
  readonly relay?: AppOptions["dependencies"]["relay"];
  /** Environment that the settings are read from. Default: none. */
  readonly settings?: Readonly<Record<string, string>>;
}

const noRelay: NonNullable<TestOptions["relay"]> = async () => ({
  transport: "embedded",
  broker: "off",
  node: null,
  isRunning: false,
  position: 0,
  problems: [],
});

/** True if {@link openApi} opens its stores in PostgreSQL: `TEST_DATABASE=postgres bun test`. See tests/deep/http-on-postgres.deep.ts. */
export const isOnPostgres = process.env["TEST_DATABASE"] === "postgres";
let schemas = 0;

async function nextSchema(): Promise<PostgresSchema> {
  schemas += 1;
  const name = `api_${schemas}`;
  return schemaIn(await sharedPostgres(), name);
}

async function openStoreIn(schema: Promise<PostgresSchema>, resources: readonly Resource[]): Promise<Store> {
  return openStore({ database: (await schema).address }, resources);
}

/** Creates the HTTP application with items and orders, on a store in a temporary folder. It does not listen. */
export function openApi({
  wrap = (store: Store) => store,
  routes = shipped,
  resources = catalogue.resources,
  config = {},
  relay = noRelay,
  settings = {},
}: TestOptions = {}): TestApi {
  const folder = temporaryFolder();
  const databaseFile = join(folder.path, "warren.db");
  const schema = isOnPostgres ? nextSchema() : undefined;
  const store = schema ? pendingStore(openStoreIn(schema, resources)) : openSqliteStore(databaseFile, resources);
  const consumersDir = join(folder.path, "consumers");
  const stores = consumerStores(sqliteIn(folder.path));
  const system = wrap(store);
  const { log, lines } = recordedLog();
  const metrics = new Metrics(log);
  const known = new Catalogue(resources);
  const status = liveStatusOf(folder.path, store, { catalogue: known, consumers: stores });
  const deadLetters = new EmbeddedDeadLetters(stores);
  const app = buildApp({
    consumers,
    routes,
    dependencies: {
      metrics,
      log,
      system,
      storeFor: storesFor(system, new Pace()),
      catalogue: known,
      deadLetters,
      deadLetterJobs: new DeadLetterJobs(deadLetters),
      replays: new Replays(new EmbeddedReplays({ ...store.log, logId: store.logId }, stores)),
      timeline: (id, isVisible) => findTimeline({ store, consumers: stores, rabbitmq: undefined }, id, isVisible),
      status,
      topology: () =>
        topologyOf(
          { transport: { name: "embedded", reason: "of the test" }, broker: undefined, catalogue: known, consumers: stores },
          store,
        ),
      removeQueue: queueRemover({
        ...{ broker: undefined, config: { warrenKey: null, dataDir: folder.path }, consumers: stores, catalogue: known, log },
        store: system,
        ask: embeddedQueues(system, stores),
      }),
      settings: () => shownSettings(readConfig({ isTerminal: false, environment: settings }), settings),
      relay,
      clientOf: clientsBehind(config.trustedProxies ?? 0),
      stopping: new AbortController().signal,
    },
    config: {
      apiTokens: [],
      issuer: null,
      allowedHosts: null,
      corsOrigins: [],
      trustedProxies: 0,
      rateLimit: null,
      console: "on",
      ...config,
    },
    log,
  });
  return {
    app,
    store,
    metrics,
    databaseFile,
    consumersDir,
    lines,
    async send(method, path, body, headers = {}) {
      const asJson = body !== undefined && !("content-type" in headers);
      const request = new Request(`http://test${path}`, {
        method,
        headers: { ...(asJson && { "content-type": "application/json" }), ...headers },
        ...(body !== undefined && { body: asJson ? JSON.stringify(body) : (body as string) }),
      });
      const answer = await app.handle(request);
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, json: <T>() => JSON.parse(text) as T };
    },
    events: () => loggedEvents(store),
    async close() {
      status.close();
      await store.close();
      await (await schema)?.drop();
      folder.remove();
    },
  };
}

/** Returns a copy of a store with some methods replaced. */
export function storeWith(store: Store, other: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => (name in other ? Reflect.get(other, name) : memberOf(target, name)),
  });
}
