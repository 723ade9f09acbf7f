import type { Broker } from "./connection";

/** Why a person cannot be answered with what the broker knows; undefined: ask it. What waits for it would wait long. */
export function troubleOf({ state }: Pick<Broker, "state">): string | undefined {
  if (state === "connected") return undefined;
  return state === "blocked" ? "RabbitMQ takes no messages for now (a memory or disk alarm)." : "RabbitMQ cannot be reached now.";
}
