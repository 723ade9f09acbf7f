/** How events reach consumers, and why. */
export interface Transport {
  readonly name: "rabbitmq" | "embedded";
  readonly reason: string;
}
