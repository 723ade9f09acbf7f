/** Name of the way in which events reach consumers. */
export type TransportName = "rabbitmq" | "embedded";

/** The transport of this process, and why it was chosen. */
export interface ChosenTransport {
  readonly name: TransportName;
  readonly reason: string;
}
