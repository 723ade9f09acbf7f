import type { RabbitmqConfig } from "../config/rabbitmq";
import type { ChosenTransport } from "../delivery/transport";
import { probe } from "./probe";

const probeTimeoutMs = 1500;

/**
 * Chooses RabbitMQ if RABBITMQ_URL is set or a RabbitMQ answers at the default address. Otherwise chooses the embedded transport: the log
 * itself.
 */
export async function chooseTransport(config: RabbitmqConfig | null): Promise<ChosenTransport> {
  if (config === null) return { name: "embedded", reason: "RABBITMQ_URL is none" };
  const broker = config.shown;
  if (config.explicit) return { name: "rabbitmq", reason: `RABBITMQ_URL is set: ${broker}` };
  const trouble = await probe(config, probeTimeoutMs);
  if (trouble === undefined) return { name: "rabbitmq", reason: `RABBITMQ_URL is not set, and a RabbitMQ answers at ${broker}` };
  return { name: "embedded", reason: `RABBITMQ_URL is not set, and no RabbitMQ answers at ${broker} (${trouble})` };
}
