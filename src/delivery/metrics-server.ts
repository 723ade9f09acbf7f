import { parseArgs } from "node:util";
import type { Broker } from "../broker/connection";
import { type Log, messageOf } from "../observe/logging";
import { Metrics } from "../observe/metrics";
import { describeProcess } from "../observe/process-metrics";
import { describeBroker } from "./broker-metrics";
import { describeWorkers } from "./consumer-metrics";
import { ConsumerError } from "./consumer-options";
import type { Worker } from "./worker";

/** Options of every consumer's command line: `runConsumer` reads them itself, a consumer that is strict about its own lets them pass. */
export const metricsOptions = { "metrics-port": { type: "string" }, "metrics-host": { type: "string" } } as const;

export interface MetricsAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Where a command line wants the metrics of its consumers: `--metrics-port N`, on 127.0.0.1 or `--metrics-host ADDRESS`.
 * Undefined: nowhere.
 *
 * @throws {ConsumerError} for a port that is none.
 */
export function metricsAddress(words: readonly string[]): MetricsAddress | undefined {
  const { values } = parseArgs({ args: [...words], options: metricsOptions, strict: false });
  const { "metrics-port": port, "metrics-host": hostname = "127.0.0.1" } = values;
  if (port === undefined && values["metrics-host"] === undefined) return undefined;
  if (typeof hostname !== "string") throw new ConsumerError("--metrics-host: name an address of this machine, such as 0.0.0.0 for all.");
  const number = typeof port === "string" && /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number <= 65_535) return { hostname, port: number };
  const given = typeof port === "string" ? ` ${port}` : "";
  throw new ConsumerError(`--metrics-port${given}: use a whole number from 0 (any free port) to 65535, such as 9464.`);
}

export interface Watched {
  readonly worker: Worker;
  /** Undefined: the embedded transport. */
  readonly broker: Broker | undefined;
}

/**
 * Serves the metrics of these consumers at `/metrics` until the process ends. Where it cannot listen, that is an error in
 * the log, and the consumers work all the same.
 */
export function serveMetrics({ hostname, port }: MetricsAddress, consumers: readonly Watched[], log: Log): void {
  const metrics = new Metrics(log);
  describeProcess(metrics);
  describeWorkers(
    metrics,
    consumers.map(({ worker }) => worker),
  );
  const brokers = consumers.flatMap(({ broker }) => broker ?? []);
  if (brokers.length > 0) describeBroker(metrics, brokers);
  try {
    // Unless told otherwise, Bun lets another process share the port where `development` is off.
    const server = Bun.serve({ hostname, port, development: false, reusePort: false, fetch: (request) => answer(request, metrics) });
    log.info(`Metrics are at ${server.url.origin}/metrics`);
  } catch (error) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const reason = inUse ? "another program listens there; give another --metrics-port" : messageOf(error);
    log.error(`No metrics: ${hostname}:${port} cannot be listened on (${reason}). The consumer works without`);
  }
}

async function answer({ url, method }: Request, metrics: Metrics): Promise<Response> {
  if (new URL(url).pathname !== "/metrics") return new Response("There is only /metrics here.\n", { status: 404 });
  if (method !== "GET" && method !== "HEAD") return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  try {
    return new Response(await metrics.render(), { headers: { "content-type": metrics.contentType } });
  } catch (error) {
    metrics.log.error({ error: messageOf(error) }, "The metrics could not be shown");
    return new Response(null, { status: 500 });
  }
}
