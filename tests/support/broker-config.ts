import { readConfig } from "../../src/config/config";
import type { RabbitmqConfig } from "../../src/config/rabbitmq";

/** Returns the configuration of a broker whose RABBITMQ_URL is set. */
export function rabbitmqAt(url: string, more: Readonly<Record<string, string>> = {}): RabbitmqConfig {
  const { rabbitmq } = readConfig({ isTerminal: false, environment: { RABBITMQ_URL: url, ...more } });
  if (!rabbitmq) throw new Error("There is no broker at `none`.");
  return rabbitmq;
}
