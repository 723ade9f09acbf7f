/** `off`: no RabbitMQ is expected, since RABBITMQ_URL is `none`, or unset and none answered at the start. */
export type BrokerState = "connecting" | "connected" | "blocked" | "closed" | "off";

/** The connection to RabbitMQ, as those see it who report on it. */
export interface BrokerLink {
  readonly state: BrokerState;
  /** How often the connection came back. */
  readonly reconnects: number;
  /** For how long RabbitMQ has accepted nothing because of an alarm, in seconds. */
  readonly blockedSeconds: number;
}
