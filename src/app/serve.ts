import type { Server } from "bun";
import { type Config, ConfigError, readConfig } from "../config/config";
import { type EngineOptions, startEngine } from "../engine/engine";
import { clientsBehind } from "../http/client-address";
import { keepRoom } from "../http/open-connections";
import { parseOptions, readCommandLine } from "../observe/command-line";
import { codeOf } from "../observe/error-code";
import { createLog, type Log, messageOf } from "../observe/logging";
import { startTracing } from "../observe/start-tracing";
import { isTerminal, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { RouterError } from "../routing/router";
import { onStopSignal } from "../timing/stop-signal";
import { buildApp } from "./app";
import { loadProject, type Project } from "./project";

/** Time limit for a graceful stop. It is less than the 10 seconds after which Docker kills a process. */
const stopTimeoutMs = 9000;
/** Time limit for pending requests while stopping. */
const requestsTimeoutMs = 3000;
/** Duration up to which a commit may delay other requests. */
const quickCommitSeconds = 0.002;

const help = `Runs the API until Ctrl+C. Takes no arguments; set environment variables to configure it: PORT, HOST, DATABASE_URL,
RABBITMQ_URL, API_TOKEN and others. .env.example lists all of them. The API is documented at /swagger.`;

interface StartOptions extends Pick<EngineOptions, "onInvalidRecords"> {
  /** True for what `bun run build --start` has built. The log says so. */
  readonly isPrepared?: boolean;
}

/**
 * Runs the API in this process until SIGINT or SIGTERM. A mistake in the environment or in `routes/` is printed, and the
 * process exits with 1. An unexpected argument makes it exit with 2.
 */
export async function startApi(load: () => Promise<Project> = loadProject, options: StartOptions = {}): Promise<void> {
  readCommandLine(help, (words) => parseOptions(words, {}));
  try {
    const config = readConfig({ isTerminal: isTerminal(1) });
    const log = createLog({
      level: config.logLevel,
      format: config.logFormat,
      stream: 1,
      secrets: config.apiTokens.map(({ token }) => token),
    });
    const starting = serve(await load(), config, log, options);
    onStopSignal(log, stopTimeoutMs, async () => {
      const stop = await starting;
      await stop();
      log.info("Stopped");
    });
    await starting;
  } catch (error) {
    tell(error instanceof ConfigError || error instanceof RouterError ? error.message : `Warren cannot start. ${messageOf(error)}`);
    process.exit(1);
  }
}

/** Starts the service and returns a function that stops it. */
async function serve(
  { routes, consumers }: Project,
  config: Config,
  log: Log,
  { isPrepared, ...options }: StartOptions,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  checkAddress(config);
  const tracing = await startTracing(config, "warren", log);
  const service = await startEngine(config, await loadCatalogue(), log, { ...options, tracing, quickCommitSeconds });
  const app = buildApp({
    routes,
    consumers,
    config,
    log,
    tracing,
    dependencies: { ...service.dependencies, clientOf: clientsBehind(config.trustedProxies), stopping: stopping.signal },
  });
  const server = listen(app, config);
  const leaveRoom = keepRoom(server, log);
  if (config.tokenFile !== null) log.info({ file: config.tokenFile }, "The API requires the token in this file");
  const { origin } = server.url;
  const pages = [config.console !== "off" && `console: ${origin}/console/`, `API documentation: ${origin}/swagger`].filter(Boolean);
  log.info(isPrepared ? { prepared: true } : {}, `Warren listens on ${origin} (${pages.join(", ")})`);

  return async () => {
    stopping.abort();
    service.hurry();
    leaveRoom();
    await finishRequests(server);
    await service.stop();
    await tracing.stop();
  };
}

function listen(app: ReturnType<typeof buildApp>, config: Config): Server<unknown> {
  onAddress(config, () => app.listen({ port: config.port, hostname: config.host }));
  return app.server as Server<unknown>;
}

/** Refuses an address that cannot be used before the store is opened, which may upgrade what is in it. */
function checkAddress(config: Config): void {
  onAddress(config, () => Bun.listen({ port: config.port, hostname: config.host, socket: { data() {} } }).stop(true));
}

function onAddress({ host, port }: Config, listen: () => void): void {
  try {
    listen();
  } catch (error) {
    const address = `${host}:${port}`;
    if (codeOf(error) === "EADDRINUSE") throw new Error(`Another program listens on ${address}. Stop it, or set PORT to another number.`);
    throw new Error(`Warren cannot listen on ${address}. Set HOST to an address of this machine. (${messageOf(error)})`);
  }
}

/** Waits for pending requests, up to the time limit, and then closes every connection, including open streams. */
async function finishRequests(server: Server<unknown>): Promise<void> {
  void server.stop();
  const deadline = performance.now() + requestsTimeoutMs;
  while (server.pendingRequests > 0 && performance.now() < deadline) await Bun.sleep(10);
  void server.stop(true);
}
