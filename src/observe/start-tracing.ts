import type { Config } from "../config/config";
import { redactUrl } from "../config/redact-url";
import { type Log, messageOf } from "./logging";
import { noTracing, type Tracing } from "./tracing";

/**
 * Starts tracing if it is configured. Loads OpenTelemetry's SDK only then. Returns {@link noTracing} if it is off or cannot be started.
 *
 * @param serviceName Name of the service in traces, unless OTEL_SERVICE_NAME is set.
 */
export async function startTracing({ tracing, rabbitmq }: Config, serviceName: string, log: Log): Promise<Tracing> {
  if (!tracing) return noTracing;
  const endpoint = redactUrl(tracing.endpoint);
  try {
    const { OtelTracing } = await import("./otel");
    // With several nodes, the one that a span is about is not known.
    const brokerUrl = rabbitmq?.urls.length === 1 ? rabbitmq.urls[0] : undefined;
    const started = new OtelTracing(tracing, { serviceName, brokerUrl, log });
    log.info({ endpoint }, "Sending traces to an OpenTelemetry collector");
    return started;
  } catch (error) {
    log.error({ endpoint, error: messageOf(error) }, "Cannot start tracing; continuing without it");
    return noTracing;
  }
}
