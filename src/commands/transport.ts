import { join } from "node:path";
import { type Config, readConfig } from "../config/config";
import type { DeadLetters } from "../delivery/dead-letters";
import type { Transport } from "../delivery/transport-name";
import { EmbeddedDeadLetters } from "../embedded/dead-letters";
import { createLog } from "../observe/logging";
import { loadCatalogue } from "../project/resources";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import { whenUnlocked } from "../store/sqlite/lock-wait";
import { followLog, type LogFollower } from "../store/sqlite/log-follower";
import { Trouble } from "./command";

/** The consumers' queues, as a command reaches them: without the API. */
export interface Reached {
  readonly config: Config;
  /** Undefined: the embedded transport. */
  readonly broker: Broker | undefined;
  /** Where the consumers keep their files. */
  readonly folder: string;
  /** Names the place for a person. */
  readonly place: string;
  readonly transport: Transport;
  /** Why the broker cannot be reached now, for a command that can do without. */
  readonly unreachable?: Trouble;
}

const tryEveryMs = 20;

/**
 * Runs `use` on the transport that the environment says, over a connection of its own.
 *
 * @throws {Trouble} when the broker cannot be reached, unless the command can do without.
 */
export async function withTransport<T>(use: (reached: Reached) => Promise<T>, { evenIfUnreachable = false } = {}): Promise<T> {
  const config = readConfig({ isTerminal: false, listens: false });
  const folder = join(config.dataDir, "consumers");
  const transport = await chooseTransport(config.rabbitmq);
  const { name, reason } = transport;
  if (name === "embedded" || !config.rabbitmq) {
    return use({ config, transport, broker: undefined, folder, place: `without a broker, in ${folder}, because ${reason}` });
  }
  // A person reads the output; what goes wrong is said there.
  const broker = await Broker.connect(config.rabbitmq, createLog({ level: "silent", format: "json", stream: 2 }));
  try {
    while (broker.state === "connecting" && broker.lastError === undefined) await Bun.sleep(tryEveryMs);
    const reached = { config, transport, broker, folder, place: `on RabbitMQ at ${broker.url}` };
    if (broker.lastError === undefined) return await use(reached);
    const unreachable = new Trouble(
      `RabbitMQ at ${broker.url} cannot be reached (${broker.lastError}). Is it running, and is RABBITMQ_URL right?`,
    );
    if (!evenIfUnreachable) throw unreachable;
    return await use({ ...reached, unreachable });
  } finally {
    await broker.close();
  }
}

/**
 * Opens the event log, to read only.
 *
 * @throws {Trouble} when there is none.
 */
export async function openLog({ databaseFile }: Config): Promise<LogFollower> {
  const log = await whenUnlocked(() => followLog(databaseFile));
  if (log) return log;
  throw new Trouble(`There is no event log in ${databaseFile} yet: the API makes it when it starts. Is DATABASE_URL right?`);
}

/** The dead letters on the transport that was reached. */
export async function openDeadLetters({ config, broker, folder }: Reached): Promise<DeadLetters> {
  if (!broker) return new EmbeddedDeadLetters(folder);
  const { resources } = await loadCatalogue();
  // RabbitMQ has no list of queues to ask for; the service keeps one beside its log.
  const log = await whenUnlocked(() => followLog(config.databaseFile));
  const own = log?.queues() ?? [];
  log?.close();
  return new RabbitDeadLetters(broker, async () => [...resources.map((resource) => resource.queue), ...own]);
}
