import type { Metrics } from "../observe/metrics";
import type { Broker } from "./connection";

type Watched = Pick<Broker, "state" | "reconnects" | "blockedSeconds">;

/**
 * Declares metrics of this process's connections to RabbitMQ.
 *
 * @param brokers The connections, at least one. Each consumer in the process has its own.
 */
export function describeBroker(metrics: Metrics, brokers: readonly Watched[]): void {
  const isConnected = ({ state }: Watched) => state === "connected" || state === "blocked";
  metrics.gauge({
    name: "warren_broker_connected",
    help: "1 while this process is connected to RabbitMQ, otherwise 0.",
    read: () => [[{}, brokers.every(isConnected) ? 1 : 0]],
  });
  metrics.counter({
    name: "warren_broker_reconnects_total",
    help: "Number of times that a lost connection to RabbitMQ was restored.",
    read: () => [[{}, brokers.reduce((sum, { reconnects }) => sum + reconnects, 0)]],
  });
  metrics.counter({
    name: "warren_broker_blocked_seconds_total",
    help: "Time that RabbitMQ accepted no messages because of a memory or disk alarm, in seconds.",
    read: () => [[{}, Math.max(...brokers.map(({ blockedSeconds }) => blockedSeconds))]],
  });
}
