import type { Watched } from "../delivery/running";
import { quarantined, toldQuarantine } from "../rabbitmq/quarantine";
import { troubleOf } from "../rabbitmq/unreachable";

export interface ConsumerHealth {
  readonly queue: string;
  readonly status: "ready" | "degraded" | "not ready";
  /** Why it is not simply ready. */
  readonly detail?: string;
}

/**
 * Whether a consumer gets its events. One that stands by for another process is ready: that is all it has to do. It is
 * degraded while the breaker is open, while its queue could drop events, and while there are messages that no queue takes.
 */
export function healthOf({ worker, broker, stage, problems = () => [], quarantine }: Watched): ConsumerHealth {
  const { queue } = worker.consumer;
  const trouble = broker && troubleOf(broker);
  switch (stage()) {
    case "waiting":
      return {
        queue,
        status: "not ready",
        detail: trouble ?? (broker ? "Waits for its queue." : "Waits for the API to make its database."),
      };
    case "standing by":
      return { queue, status: "ready", detail: "Another process works on this queue; this one stands by." };
    case "replaced":
      return { queue, status: "degraded", detail: "The database was removed or replaced; finishing the events of the old one." };
    case "consuming": {
      // A broker that is blocked reads nothing from a connection that has published, not even what is acknowledged.
      if (trouble !== undefined) return { queue, status: broker?.state === "blocked" ? "degraded" : "not ready", detail: trouble };
      if (worker.breaker.state !== "closed") {
        return { queue, status: "degraded", detail: "The handler fails too often; the consumer pauses, then tries one event." };
      }
      const kept = quarantine === undefined ? undefined : quarantined(quarantine).find((each) => each.queue === queue);
      const detail = [...problems(), ...(kept ? [toldQuarantine(kept)] : [])].join(" ");
      return detail === "" ? { queue, status: "ready" } : { queue, status: "degraded", detail };
    }
  }
}

/** What `/health/ready` of a process with these consumers answers: it is as ready as the least ready of them. */
export function readiness(consumers: readonly Watched[]): { status: ConsumerHealth["status"]; consumers: ConsumerHealth[] } {
  const each = consumers.map(healthOf);
  const worst = (["not ready", "degraded"] as const).find((status) => each.some((one) => one.status === status));
  return { status: worst ?? "ready", consumers: each };
}
