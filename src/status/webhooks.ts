import { mostAnswers, type WebhookReport } from "../delivery/consumer-report";
import type { ReportedConsumer } from "./consumer-reports";
import type { Latency } from "./latency";
import type { TopologyQueue } from "./topology";

export const webhookStates = ["delivering", "paused", "disabled", "stopped"] as const;

/** A subscription of a webhook, by what its queue and its consumers say. */
export interface ShownWebhook {
  readonly name: string;
  readonly queue: string;
  /** Scheme and host. Null if no process runs it. */
  readonly url: string | null;
  readonly types: string[] | null;
  readonly state: (typeof webhookStates)[number];
  /** Number of processes that run it. */
  readonly processes: number;
  readonly disabledSince: string | null;
  /** The latest answers, oldest first. */
  readonly answers: WebhookReport["answers"];
  readonly delivered: number;
  readonly failed: number;
  /** Of the slowest process. */
  readonly handler: Latency | null;
  readonly lastError: ReportedConsumer["lastError"];
}

/** Begins the name of a subscription's queue. */
const prefix = "webhook.";

/** Returns the subscriptions that have a queue or a running consumer, sorted by name. */
export function webhooksOf(
  queues: readonly Pick<TopologyQueue, "queue" | "types">[],
  consumers: readonly ReportedConsumer[],
): ShownWebhook[] {
  const names = new Set([...queues, ...consumers].map(({ queue }) => queue).filter((queue) => queue.startsWith(prefix)));
  return [...names].sort().map((queue) =>
    shown(
      queue,
      queues.find((one) => one.queue === queue)?.types ?? null,
      consumers.filter((one) => one.queue === queue),
    ),
  );
}

function shown(queue: string, types: string[] | null, consumers: readonly ReportedConsumer[]): ShownWebhook {
  const reports = consumers.flatMap(({ webhook }) => webhook ?? []);
  const sum = (pick: (consumer: ReportedConsumer) => number) => consumers.reduce((total, consumer) => total + pick(consumer), 0);
  const disabledSince = reports.map((report) => report.disabledSince).find((since) => since !== null) ?? null;
  return {
    ...{ name: queue.slice(prefix.length), queue, types, processes: consumers.length, disabledSince },
    url: reports[0]?.url ?? null,
    state: stateOf(consumers, disabledSince),
    answers: reports
      .flatMap(({ answers }) => answers)
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .slice(-mostAnswers),
    delivered: sum(({ handled }) => handled),
    failed: sum(({ failed }) => failed),
    handler: slowest(consumers),
    lastError: consumers.flatMap(({ lastError }) => lastError ?? []).sort((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
  };
}

function stateOf(consumers: readonly ReportedConsumer[], disabledSince: string | null): ShownWebhook["state"] {
  if (consumers.length === 0) return "stopped";
  if (disabledSince !== null) return "disabled";
  return consumers.some(({ breaker }) => breaker === "closed") ? "delivering" : "paused";
}

function slowest(consumers: readonly ReportedConsumer[]): Latency | null {
  return consumers.flatMap(({ handler }) => handler ?? []).sort((a, b) => b.p99 - a.p99)[0] ?? null;
}
