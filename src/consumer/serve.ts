import { isLocalHost, isLoopback } from "../config/loopback";
import { ConsumerError } from "../delivery/consumer-error";
import type { Watched } from "../delivery/running";
import { codeOf } from "../observe/error-code";
import { type Log, messageOf } from "../observe/logging";
import { Metrics } from "../observe/metrics";
import { describeProcess } from "../observe/process-metrics";
import { describeBroker } from "../rabbitmq/broker-metrics";
import type { ServerFlags } from "./flags";
import { readiness } from "./health";
import { describeWorkers } from "./metrics";

export interface Address {
  readonly hostname: string;
  readonly port: number;
}

type Asked = "metrics" | "health";

/** An address and what is served there. Metrics and health share one server if their addresses are the same. */
export interface Serving {
  readonly address: Address;
  readonly what: readonly Asked[];
}

/**
 * Returns what the command line asks consumers to serve: `--metrics-port N` and `--health-port N`. The address is 127.0.0.1
 * unless `--metrics-host ADDRESS` or `--health-host ADDRESS` is given. For one shared port, one address is enough.
 *
 * @throws {ConsumerError} for an invalid port, an address without a port, or two addresses for one port.
 */
export function servings(flags: ServerFlags): readonly Serving[] {
  const ports = { metrics: portOf("metrics", flags), health: portOf("health", flags) };
  const hosts = { metrics: flags["metrics-host"], health: flags["health-host"] };
  const { metrics, health } = ports;
  if (metrics !== undefined && metrics === health && metrics > 0) {
    const [hostname = "127.0.0.1", other = hostname] = [hosts.metrics, hosts.health].filter((host) => host !== undefined);
    if (other !== hostname) throw new ConsumerError("--metrics-host and --health-host differ: use a different port for each.");
    return [{ address: { hostname, port: metrics }, what: ["metrics", "health"] }];
  }
  return (["metrics", "health"] as const).flatMap((what) => {
    const port = ports[what];
    return port === undefined ? [] : [{ address: { hostname: hosts[what] ?? "127.0.0.1", port }, what: [what] }];
  });
}

function portOf(what: Asked, flags: ServerFlags): number | undefined {
  const port = flags[`${what}-port`];
  if (port === undefined && flags[`${what}-host`] === undefined) return undefined;
  const number = port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number <= 65_535) return number;
  const given = port === undefined ? "" : ` ${port}`;
  throw new ConsumerError(`--${what}-port${given}: use a whole number from 0 (any free port) to 65535, such as 9464.`);
}

type Answer = () => Response | Promise<Response>;

/**
 * Serves `/metrics`, or `/health/live` and `/health/ready`, of these consumers until the process ends. If it cannot listen,
 * it logs an error and the consumers continue without.
 */
export function serveConsumers({ address: { hostname, port }, what }: Serving, consumers: readonly Watched[], log: Log): void {
  const answers: Record<string, Answer> = {
    ...(what.includes("metrics") && { "/metrics": metricsAnswer(consumers, log) }),
    ...(what.includes("health") && { "/health/live": () => Response.json({ status: "live" }), "/health/ready": readyAnswer(consumers) }),
  };
  const isLocal = isLoopback(hostname);
  const fetch = (request: Request) => refuseHost(request, isLocal) ?? answer(request, answers);
  const name = what.join(" and ");
  try {
    // By default, Bun lets another process share the port if `development` is off.
    const server = Bun.serve({ hostname, port, development: false, reusePort: false, fetch });
    const paths = what.map((each) => `${server.url.origin}/${each === "metrics" ? "metrics" : "health/ready"}`);
    log.info(`${capital(name)} ${name === "health" ? "is" : "are"} at ${paths.join(" and ")}`);
  } catch (error) {
    const inUse = codeOf(error) === "EADDRINUSE";
    const reason = inUse ? `another program uses this port; choose another --${what[0]}-port` : messageOf(error);
    log.error(`No ${name}: cannot listen on ${hostname}:${port} (${reason}). The consumer runs without`);
  }
}

function metricsAnswer(consumers: readonly Watched[], log: Log): Answer {
  const metrics = new Metrics(log);
  describeProcess(metrics);
  describeWorkers(
    metrics,
    consumers.map(({ worker }) => worker),
  );
  const brokers = consumers.flatMap(({ broker }) => broker ?? []);
  if (brokers.length > 0) describeBroker(metrics, brokers);
  return async () => {
    try {
      return new Response(await metrics.render(), { headers: { "content-type": metrics.contentType } });
    } catch (error) {
      log.error({ error: messageOf(error) }, "Cannot render the metrics");
      return new Response(null, { status: 500 });
    }
  };
}

function readyAnswer(consumers: readonly Watched[]): Answer {
  return () => {
    const ready = readiness(consumers);
    return Response.json(ready, { status: ready.status === "not ready" ? 503 : 200 });
  };
}

/**
 * Refuses an invalid Host, and a foreign one on a local port. A page of another site can point its own name to this machine
 * (DNS rebinding) and read what is served locally, but the Host header reveals that name. Returns undefined if it is
 * allowed.
 *
 * @param isLocal whether only this machine reaches the port. Otherwise, other machines may know it by any name.
 */
function refuseHost({ headers, url }: Request, isLocal: boolean): Response | undefined {
  const host = headers.get("host");
  if (host !== null && (host.includes(",") || !URL.canParse(url))) return new Response("The Host header is not valid.\n", { status: 400 });
  if (!isLocal || host === null || isLocalHost(host)) return undefined;
  return new Response("The Host header must be `localhost` or an IP address.\n", { status: 421 });
}

function answer({ url, method }: Request, answers: Readonly<Record<string, Answer>>): Response | Promise<Response> {
  // Without a Host, Bun omits the origin from the URL.
  const { pathname } = new URL(url, "http://localhost");
  const found = Object.hasOwn(answers, pathname) ? answers[pathname] : undefined;
  if (!found) return new Response(`Not found. Use ${Object.keys(answers).join(", ")}.\n`, { status: 404 });
  if (method !== "GET" && method !== "HEAD") return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  return found();
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
