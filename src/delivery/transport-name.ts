/** Transport that carries events to consumers, and why it was chosen. */
export interface Transport {
  readonly name: "rabbitmq" | "embedded";
  readonly reason: string;
}
