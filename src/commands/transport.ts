import { type Config, readConfig } from "../config/config";
import type { RabbitmqConfig } from "../config/rabbitmq";
import type { DeadLetters } from "../delivery/dead-letters";
import { EmbeddedDeadLetters } from "../embedded/dead-letters";
import { createLog, type Log } from "../observe/logging";
import { loadCatalogue } from "../project/resources";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import type { Sources } from "../status/system-state";
import type { LogFollower } from "../store/log-follower";
import { consumerStores, isServed, openLog } from "../store/open";
import { Trouble } from "./command";

/** Access of a command to the consumers' queues, without the API. */
export interface Reached extends Pick<Sources, "broker" | "consumers" | "transport"> {
  readonly config: Config;
  /** Description of the transport and its place, for output. */
  readonly place: string;
  /** Reason that the broker cannot be reached, for a command that works without it. */
  readonly unreachable?: Trouble;
}

const tryEveryMs = 20;

/** Returns a log for what a command uses, since the command prints problems itself. */
export function silentLog(): Log {
  return createLog({ level: "silent", format: "json", stream: 2 });
}

/**
 * Runs `use` on the transport that the environment selects, over a separate connection.
 *
 * @throws {Trouble} if the broker cannot be reached, unless `evenIfUnreachable` is set.
 */
export async function withTransport<T>(use: (reached: Reached) => Promise<T>, { evenIfUnreachable = false } = {}): Promise<T> {
  const config = readConfig({ isTerminal: false, listens: false });
  const consumers = consumerStores(config);
  try {
    const transport = await chooseTransport(config);
    if (transport.name === "rabbitmq" && config.rabbitmq)
      return await withBroker({ config, transport, consumers }, config.rabbitmq, use, evenIfUnreachable);
    return await use({
      config,
      transport,
      broker: undefined,
      consumers,
      place: `without a broker, in ${consumers.shown}, because ${transport.reason}`,
    });
  } finally {
    await consumers.close();
  }
}

async function withBroker<T>(
  around: Pick<Reached, "config" | "transport" | "consumers">,
  rabbitmq: RabbitmqConfig,
  use: (reached: Reached) => Promise<T>,
  evenIfUnreachable: boolean,
): Promise<T> {
  const broker = await Broker.connect(rabbitmq, silentLog());
  try {
    while (broker.state === "connecting" && broker.lastError === undefined) await Bun.sleep(tryEveryMs);
    const reached = { ...around, broker, place: `on RabbitMQ at ${broker.shown}` };
    if (broker.lastError === undefined) return await use(reached);
    const unreachable = new Trouble(
      `Cannot reach RabbitMQ at ${broker.shown} (${broker.lastError}). Check that it is running and that RABBITMQ_URL is correct.`,
    );
    if (!evenIfUnreachable) throw unreachable;
    return await use({ ...reached, unreachable });
  } finally {
    await broker.close();
  }
}

/**
 * Opens the event log for reading.
 *
 * @throws {Trouble} if it does not exist.
 */
export async function existingLog(config: Config): Promise<LogFollower> {
  const log = await openLog(config);
  if (log) return log;
  throw new Trouble(
    `There is no event log in ${config.database.shown} yet. The API creates it when it starts. Check that DATABASE_URL is correct.`,
  );
}

/** Opens the dead letters of the current transport. */
export async function openDeadLetters({ config, broker, consumers }: Reached): Promise<DeadLetters> {
  if (!broker) return new EmbeddedDeadLetters(consumers);
  const catalogue = await loadCatalogue();
  // AMQP cannot list queues; the API keeps a list beside its log.
  const log = await openLog(config);
  const own = (await log?.queues()) ?? [];
  log?.close();
  return new RabbitDeadLetters(broker, async () => catalogue.queuesWith(own));
}

/** Returns what the state of the system is read from. */
export async function sourcesOf({ config, broker, consumers, transport }: Reached): Promise<Sources> {
  return { config, broker, consumers, transport, catalogue: await loadCatalogue(), isServed: () => isServed(config) };
}
