import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { TracingConfig } from "../../src/config/tracing";
import { OtelTracing } from "../../src/observe/otel";
import type { Tracing } from "../../src/observe/tracing";
import { recordedLog } from "./recorded-log";
import type { SeenSpan } from "./trace-tree";

const kinds = ["internal", "server", "client", "producer", "consumer"];

export const everything: TracingConfig = {
  endpoint: "http://collector.invalid:4318",
  sampler: "parentbased_always_on",
  ratio: 1,
  scheduledDelayMillis: 5,
  maxQueueSize: 2048,
};

/** Creates tracing whose spans stay in this process. Only one can be active, since OpenTelemetry's API is global. */
export function memoryTracing(config: Partial<TracingConfig> = {}): { tracing: Tracing; spans(): SeenSpan[] } {
  const ended: ReadableSpan[] = [];
  const exporter: SpanExporter = {
    export(spans, done) {
      ended.push(...spans);
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  const options = { serviceName: "test", brokerUrl: undefined, log: recordedLog().log, exporter };
  return { tracing: new OtelTracing({ ...everything, ...config }, options), spans: () => ended.map(seen) };
}

function seen(span: ReadableSpan): SeenSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    kind: kinds[span.kind] ?? "",
    service: String(span.resource.attributes["service.name"]),
    isError: span.status.code === 2,
    attributes: span.attributes,
    links: span.links.map((link) => link.context.spanId),
  };
}
