import type { RabbitmqConfig } from "../config/rabbitmq";
import { tlsOptions } from "./tls";

/** Time in milliseconds for a node to answer; with several nodes, another may answer sooner. */
const [onlyNodeTimeoutMs, eachNodeTimeoutMs] = [10_000, 5_000];

/** Returns amqplib's options of a connection to a node. */
export function socketOptions(config: RabbitmqConfig) {
  const timeout = config.urls.length === 1 ? onlyNodeTimeoutMs : eachNodeTimeoutMs;
  return { timeout, noDelay: true, keepAlive: true, ...tlsOptions(config) };
}
