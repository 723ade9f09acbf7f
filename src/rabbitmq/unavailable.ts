import type { Broker } from "./connection";

/** Returns why the broker cannot be queried now, or undefined if it can. Waiting instead could take long. */
export function whyUnavailable({ state }: Pick<Broker, "state">): string | undefined {
  if (state === "connected") return undefined;
  return state === "blocked" ? "RabbitMQ takes no messages for now (a memory or disk alarm)." : "RabbitMQ cannot be reached now.";
}
