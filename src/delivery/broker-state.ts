/** `off`: RabbitMQ is not expected, because RABBITMQ_URL is `none`, or is unset and RabbitMQ was unreachable at startup. */
export type BrokerState = "connecting" | "connected" | "blocked" | "closed" | "off";

/** State of the connection to RabbitMQ, for health checks and metrics. */
export interface BrokerLink {
  readonly state: BrokerState;
  /** Host and port of the connected node. Null while there is none. */
  readonly node: string | null;
  /** Number of times the connection was re-established. */
  readonly reconnects: number;
  /** Total time that RabbitMQ has accepted no messages because of an alarm, in seconds. */
  readonly blockedSeconds: number;
}
