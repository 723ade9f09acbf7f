import type { Config } from "../config/config";
import type { ChosenTransport } from "../delivery/transport";
import { probe } from "./probe";

const probeTimeoutMs = 1500;

/**
 * Chooses RabbitMQ if RABBITMQ_URL is set or, with SQLite, a RabbitMQ answers at the default address. Otherwise chooses the embedded
 * transport: the log itself. With PostgreSQL, nothing is looked for, so that no two machines choose differently.
 */
export async function chooseTransport({ rabbitmq, database }: Pick<Config, "rabbitmq" | "database">): Promise<ChosenTransport> {
  if (rabbitmq === null) {
    const reason =
      database.engine === "postgres" ? "PostgreSQL carries the events unless RABBITMQ_URL names a broker" : "RABBITMQ_URL is none";
    return { name: "embedded", reason };
  }
  const { shown } = rabbitmq;
  if (rabbitmq.explicit) return { name: "rabbitmq", reason: `RABBITMQ_URL is set: ${shown}` };
  const trouble = await probe(rabbitmq, probeTimeoutMs);
  if (trouble === undefined) return { name: "rabbitmq", reason: `RABBITMQ_URL is not set, and a RabbitMQ answers at ${shown}` };
  return { name: "embedded", reason: `RABBITMQ_URL is not set, and no RabbitMQ answers at ${shown} (${trouble})` };
}
