import type { Benchmark } from "../benchmark";
import { startWithActing, startWithBrowser, startWithConsole, startWithKeys, startWithoutKeys } from "../companions";
import { type Conditions, confirmedColumns as columns, publishing } from "../confirmed";
import { startPeer, startPostgres, startSketch, startSqlite, startWithQuorum } from "../publisher";

const needs = ["wrk", "rabbitmq"] as const;
const lazy: Conditions = { queue: "lazy", deliveries: true };
const byDefault: Conditions = { queue: "default", deliveries: true };

const { perSecond, answeredPerSecond, lateSeconds, cpuMicros, mainMicros, brokerMicros, databaseMicros } = columns;
const delays = [columns.p50Ms, columns.p99Ms, columns.deliveryP50Ms, columns.deliveryP99Ms] as const;
const costs = [answeredPerSecond, lateSeconds, cpuMicros, mainMicros, brokerMicros, ...delays] as const;

/** Warren beside a service that does the same work on the same stack. */
export const confirmed: Benchmark = {
  name: "confirmed",
  title: "POST /items until RabbitMQ has confirmed the event, lazy queue: vs. plain Elysia, bun:sqlite and a polling relay",
  needs,
  columns: [
    { ...perSecond, aim: { atLeast: 3 } },
    answeredPerSecond,
    { ...lateSeconds, limit: { atMost: 0.5 } },
    { ...cpuMicros, limit: { atMost: 65 } },
    mainMicros,
    brokerMicros,
    ...delays,
  ],
  warren: publishing("warren", startSqlite, lazy),
  baseline: publishing("peer", startPeer, lazy),
};

export const confirmedDefault: Benchmark = {
  ...confirmed,
  name: "confirmed-default",
  title: "The same on a default queue, which before RabbitMQ 3.12 keeps messages in memory, too",
  columns: [perSecond, ...costs],
  warren: publishing("warren", startSqlite, byDefault),
  baseline: publishing("peer", startPeer, byDefault),
};

export const confirmedV2: Benchmark = {
  name: "confirmed-v2",
  title: "The same: a classic queue of version 2 vs. a lazy one",
  needs,
  columns: [perSecond, ...costs],
  warren: publishing("v2", startSqlite, { ...lazy, queue: "v2" }),
  baseline: publishing("lazy", startSqlite, lazy),
};

export const confirmedQuorum: Benchmark = {
  name: "confirmed-quorum",
  title: "The same: a quorum queue on one node vs. a lazy classic one",
  needs,
  columns: [perSecond, ...costs],
  warren: publishing("quorum", startWithQuorum, lazy),
  baseline: publishing("classic", startSqlite, lazy),
};

const withoutDeliveries: Conditions = { queue: "lazy", deliveries: false };

export const confirmedSketch: Benchmark = {
  name: "confirmed-sketch",
  title: "The same, lazy queue: on disk and confirmed vs. in memory and fire-and-forget",
  needs,
  columns: [{ ...perSecond, aim: { atLeast: 0.8 } }, answeredPerSecond, lateSeconds, cpuMicros, brokerMicros, columns.p50Ms, columns.p99Ms],
  warren: publishing("warren", startSqlite, withoutDeliveries),
  baseline: publishing("sketch", startSketch, withoutDeliveries),
};

export const confirmedPostgres: Benchmark = {
  name: "confirmed-postgres",
  title: "The same, lazy queue, one process: PostgreSQL vs. SQLite",
  needs: [...needs, "postgres"],
  columns: [{ ...perSecond, aim: { atLeast: 0.6 } }, answeredPerSecond, lateSeconds, cpuMicros, databaseMicros, brokerMicros, ...delays],
  warren: publishing("postgres", startPostgres, lazy),
  baseline: publishing("sqlite", startSqlite, lazy),
};

export const confirmedKeys: Benchmark = {
  name: "confirmed-keys",
  title: "The same, lazy queue: a resource with a unique value, a reference and a rule vs. without them",
  needs,
  columns: [perSecond, ...costs],
  warren: publishing("with", startWithKeys, lazy),
  baseline: publishing("without", startWithoutKeys, lazy),
};

export const confirmedActing: Benchmark = {
  name: "confirmed-acting",
  title: "The same, lazy queue: while a consumer changes the record of each event vs. without it",
  needs,
  columns: [perSecond, ...costs],
  warren: publishing("acting", startWithActing, lazy),
  baseline: publishing("alone", startSqlite, lazy),
};

export const confirmedConsole: Benchmark = {
  name: "confirmed-console",
  title: "The same, lazy queue: while a tab of the console follows status and events vs. without it",
  needs,
  columns: [perSecond, ...costs],
  warren: publishing("console open", startWithConsole, lazy),
  baseline: publishing("closed", startSqlite, lazy),
};

export const confirmedBrowser: Benchmark = {
  ...confirmedConsole,
  name: "confirmed-browser",
  title: "The same, lazy queue: while Chromium on the same cores shows the events in the console vs. without it",
  needs: [...needs, "chromium"],
  warren: publishing("browser", startWithBrowser, lazy),
};
