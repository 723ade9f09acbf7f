import type { Broker } from "./connection";

/** Returns why the broker cannot be queried now, or undefined if it can. Waiting instead could take long. */
export function whyUnavailable({ state }: Pick<Broker, "state">): string | undefined {
  if (state === "connected") return undefined;
  return state === "blocked" ? "RabbitMQ does not accept messages now (a memory or disk alarm)." : "Cannot reach RabbitMQ.";
}
