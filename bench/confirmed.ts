import { eventually, run } from "../tests/support/processes";
import { type Column, type Contender, type Context, mustEqual, type Sample } from "./benchmark";
import type { QueuePolicy } from "./broker";
import { cpuCounter, mainThreadCounter } from "./cpu";
import { programResult } from "./programs";
import type { Publisher } from "./publisher";
import { mustMatchAnswers } from "./servers";
import { type Load, load } from "./wrk";

const warmUpSeconds = 2;
/** Time until a load is at its full strength. */
const beginMs = 500;
const settleTimeoutMs = 120_000;

/** Columns of what {@link publishing} measures, without aims. The headline is what RabbitMQ has confirmed, not what was answered. */
export const confirmedColumns = {
  perSecond: { key: "perSecond", label: "confirmed/s", digits: 0 },
  answeredPerSecond: { key: "answeredPerSecond", label: "answered/s", digits: 0 },
  lateSeconds: { key: "lateSeconds", label: "last confirm after s", digits: 2 },
  cpuMicros: { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
  mainMicros: { key: "mainMicros", label: "its main thread", digits: 1 },
  brokerMicros: { key: "brokerMicros", label: "broker µs/event", digits: 1 },
  databaseMicros: { key: "databaseMicros", label: "database µs/event", digits: 1 },
  p50Ms: { key: "p50Ms", label: "answer p50 ms", digits: 1 },
  p99Ms: { key: "p99Ms", label: "answer p99 ms", digits: 1 },
  deliveryP50Ms: { key: "deliveryP50Ms", label: "delivery p50 ms", digits: 0 },
  deliveryP99Ms: { key: "deliveryP99Ms", label: "delivery p99 ms", digits: 0 },
} as const satisfies Record<string, Column>;

/** How a service is measured: on which kind of queue, and whether the time until events are delivered is, too. */
export interface Conditions {
  readonly queue: QueuePolicy;
  readonly deliveries: boolean;
}

/**
 * Returns a contender that is loaded with 64 connections, first without a consumer, so that messages stay in the queue, and then for half
 * the time with one that measures deliveries.
 */
export function publishing(name: string, start: (context: Context) => Promise<Publisher>, conditions: Conditions): Contender {
  return {
    name,
    async run(context) {
      const broker = await context.broker();
      await broker.queuePolicy(conditions.queue);
      const publisher = await start(context);
      const { elsewhere, perRequest, queue, requests, server } = publisher;
      const warmUp = await load(server.url, warmUpSeconds, requests);
      await settled(publisher);
      const { measured, sample } = await saturated(publisher, broker.pid, context.seconds);
      const loads = [warmUp, measured];
      let taken = 0;
      let delivered: Sample = {};
      if (conditions.deliveries) {
        taken += await broker.purge(queue);
        const deliveries = await receiving(publisher, broker.url, Math.ceil(context.seconds / 2));
        taken += deliveries.count;
        loads.push(deliveries.load);
        delivered = deliveries.sample;
      }
      const events = await publisher.stop();
      mustEqual({ events: events - elsewhere, "in the queue, or taken from it": taken + (await broker.depth(queue)) });
      mustMatchAnswers((events - elsewhere) / perRequest, ...loads);
      return { ...sample, ...delivered };
    },
  };
}

/** Resolves when RabbitMQ has confirmed every event. */
async function settled({ confirmed, created }: Publisher): Promise<void> {
  await eventually(async () => (await confirmed()) === (await created()), "RabbitMQ to have every event", settleTimeoutMs);
}

async function saturated(publisher: Publisher, brokerPid: number, seconds: number): Promise<{ measured: Load; sample: Sample }> {
  const { confirmed, requests, server } = publisher;
  const before = await confirmed();
  const [cpu, mainCpu, brokerCpu] = [cpuCounter(server.pid), mainThreadCounter(server.pid), cpuCounter(brokerPid)];
  const databaseCpu = await publisher.databaseCpu?.();
  const loading = load(server.url, seconds, requests);
  // Events that are confirmed once the load is over, with the cores free, do not show what it can do under load.
  const [measured, perSecond] = await Promise.all([loading, rate(confirmed, seconds * 1000)]);
  const ended = performance.now();
  await settled(publisher);
  const lateSeconds = (performance.now() - ended) / 1000;
  const events = (await confirmed()) - before;
  const sample = {
    perSecond,
    answeredPerSecond: measured.perSecond,
    lateSeconds,
    cpuMicros: cpu(events),
    mainMicros: mainCpu(events),
    brokerMicros: brokerCpu(events),
    ...(databaseCpu && { databaseMicros: await databaseCpu(events) }),
    p50Ms: measured.p50Ms,
    p99Ms: measured.p99Ms,
  };
  return { measured, sample };
}

/** Resolves with how much a count grows per second, from the time when a load is at its full strength until its end. */
async function rate(count: () => Promise<number>, durationMs: number): Promise<number> {
  await Bun.sleep(beginMs);
  const [from, started] = [await count(), performance.now()];
  await Bun.sleep(durationMs - beginMs);
  return ((await count()) - from) / ((performance.now() - started) / 1000);
}

async function receiving(publisher: Publisher, brokerUrl: string, seconds: number) {
  const receiver = run(["bench/programs/delivery.ts", brokerUrl, publisher.queue]);
  await receiver.line("receiving");
  const loaded = await load(publisher.server.url, seconds, publisher.requests);
  await settled(publisher);
  const ended = receiver.stop();
  const { count, p50Ms, p99Ms } = await programResult<{ count: number; p50Ms: number; p99Ms: number }>(receiver);
  await ended;
  return { load: loaded, count, sample: { deliveryP50Ms: p50Ms, deliveryP99Ms: p99Ms } };
}
