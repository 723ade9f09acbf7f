import type { Watched } from "../delivery/running";
import { quarantined, toldQuarantine } from "../rabbitmq/quarantine";
import { whyUnavailable } from "../rabbitmq/unavailable";

export interface ConsumerHealth {
  readonly queue: string;
  readonly status: "ready" | "degraded" | "not ready";
  /** Explains the status. Omitted if the consumer simply works. */
  readonly detail?: string;
}

/** A consumer in the body of `/health/ready`. */
interface ReportedConsumer extends ConsumerHealth {
  /** Host and port of the RabbitMQ node that the consumer is connected to. Omitted if it is connected to none. */
  readonly node?: string;
}

/**
 * Returns whether a consumer gets its events. A consumer that stands by for another process is ready, because that is its
 * whole task. A consumer whose store cannot be used, or that cannot commit what its handlers change, is not ready. A consumer is degraded while its breaker is open, while RabbitMQ is blocked, after its database was replaced,
 * while its queue could drop events, and while there are messages that no queue accepts.
 */
export function healthOf({ worker, broker, stage, problems = () => [], quarantine }: Watched): ConsumerHealth {
  const { queue } = worker.consumer;
  const { storeTrouble, changes } = worker.consumer;
  const why = storeTrouble.why ?? changes.trouble.why;
  if (why !== undefined) return { queue, status: "not ready", detail: why };
  const trouble = broker && whyUnavailable(broker);
  switch (stage()) {
    case "waiting":
      return {
        queue,
        status: "not ready",
        detail: trouble ?? (broker ? "Waiting for its queue." : "Waiting for the API to create its database."),
      };
    case "standing by":
      return { queue, status: "ready", detail: "Another process consumes this queue; this one stands by." };
    case "replaced":
      return { queue, status: "degraded", detail: "The database was removed or replaced; finishing the events of the old one." };
    case "consuming": {
      // A blocked broker reads nothing from a connection that has published, not even acknowledgements.
      if (trouble !== undefined) return { queue, status: broker?.state === "blocked" ? "degraded" : "not ready", detail: trouble };
      if (worker.breaker.state !== "closed") {
        return { queue, status: "degraded", detail: "The handler fails too often; pausing, then trying one event." };
      }
      const kept = quarantine === undefined ? undefined : quarantined(quarantine).find((each) => each.queue === queue);
      const detail = [...problems(), ...(kept ? [toldQuarantine(kept)] : [])].join(" ");
      return detail === "" ? { queue, status: "ready" } : { queue, status: "degraded", detail };
    }
  }
}

/** Returns the body of `/health/ready` for the consumers of a process. Its status is that of the least ready consumer. */
export function readiness(consumers: readonly Watched[]): { status: ConsumerHealth["status"]; consumers: ReportedConsumer[] } {
  const each = consumers.map((consumer) => ({ ...healthOf(consumer), ...(consumer.broker?.node && { node: consumer.broker.node }) }));
  const worst = (["not ready", "degraded"] as const).find((status) => each.some((one) => one.status === status));
  return { status: worst ?? "ready", consumers: each };
}
