// Implements the interface of tracing.ts with OpenTelemetry's SDK. Only start-tracing.ts imports it, so the SDK loads only if tracing is
// on.
import {
  type Attributes,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { parseTraceParent, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { redactUrl } from "../config/redact-url";
import type { TracingConfig } from "../config/tracing";
import type { Log } from "./logging";
import { LiveSpan } from "./otel-span";
import { ReportedExporter } from "./reported-exporter";
import { validTraceparent } from "./traceparent";
import { type HandledMessage, noSpan, type SentMessage, type ServerSpan, type Span, type Tracing } from "./tracing";

/** Maximum number of links of a span that covers many events, such as a batch. */
const linkCountLimit = 1000;
const stopTimeoutMs = 1000;
const knownMethod = /^(CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE)$/;
/** Polled paths, which would fill the traces. */
const untracedPath = /^\/(health|metrics)(\/|$)/;

export interface OtelOptions {
  readonly serviceName: string;
  readonly brokerUrl: string | undefined;
  readonly log: Log;
  /** Destination of the spans. Default: the collector at OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly exporter?: SpanExporter;
}

/** Traces through OpenTelemetry's SDK. Names and attributes follow OpenTelemetry's semantic conventions 1.45, or begin with `warren.`. */
export class OtelTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #exporter: ReportedExporter;
  readonly #server: Attributes;
  #stopped: Promise<void> | undefined;

  constructor(config: TracingConfig, { serviceName, brokerUrl, log, exporter = new OTLPTraceExporter() }: OtelOptions) {
    this.#exporter = new ReportedExporter(exporter, redactUrl(config.endpoint), log);
    const { scheduledDelayMillis, maxQueueSize } = config;
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ "service.name": serviceName, "service.instance.id": Bun.randomUUIDv7() }).merge(
        resourceFromAttributes(envDetector.detect().attributes ?? {}),
      ),
      sampler: samplerOf(config),
      spanLimits: { linkCountLimit },
      spanProcessors: [new BatchSpanProcessor({ exporter: this.#exporter, scheduledDelayMillis, maxQueueSize })],
    });
    this.#tracer = this.#provider.getTracer("warren");
    this.#server = brokerUrl === undefined ? {} : serverOf(brokerUrl);
    // Lets a handler create spans under its own with OpenTelemetry's API.
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(this.#provider);
  }

  request({ url, method, headers }: Request): ServerSpan | undefined {
    const { pathname, protocol, hostname, port } = URL.parse(url) ?? noUrl;
    if (untracedPath.test(pathname)) return undefined;
    const userAgent = headers.get("user-agent");
    // Clients can invent methods, and span names must be few.
    const isKnown = knownMethod.test(method);
    return this.#start(isKnown ? method : "HTTP", SpanKind.SERVER, parentOf(headers.get("traceparent")), [], {
      "http.request.method": isKnown ? method : "_OTHER",
      "url.path": pathname,
      "url.scheme": protocol.slice(0, -1),
      "server.address": hostname,
      ...(port && { "server.port": Number(port) }),
      ...(userAgent && { "user_agent.original": userAgent }),
    });
  }

  create({ id, type }: { readonly id: string; readonly type: string }, parent: string | undefined): Span {
    return this.#start(`create ${type}`, SpanKind.PRODUCER, parentOf(parent), [], {
      "messaging.system": "warren",
      "messaging.operation.type": "create",
      "messaging.operation.name": "create",
      "messaging.destination.name": type,
      "messaging.message.id": id,
    });
  }

  send({ exchange, routingKey, options }: SentMessage): Span {
    const creation = parentOf(options.headers?.["traceparent"]);
    // An event written before tracing was on belongs to no trace.
    if (!creation) return noSpan;
    const destination = exchange ? `${exchange}:${routingKey}` : routingKey;
    return this.#start(`publish ${destination}`, SpanKind.CLIENT, creation, [{ context: creation }], {
      ...this.#server,
      "messaging.system": "rabbitmq",
      "messaging.operation.type": "send",
      "messaging.operation.name": "publish",
      "messaging.destination.name": destination,
      "messaging.rabbitmq.destination.routing_key": routingKey,
      "messaging.message.id": options.messageId,
    });
  }

  process(messages: readonly HandledMessage[]): Span {
    const [first] = messages as readonly [HandledMessage];
    const { system, destination, temporary } = first.delivery.origin;
    const links = messages.flatMap(linkOf);
    const isBatch = messages.length > 1;
    return this.#start(
      temporary ? "process" : `process ${destination}`,
      SpanKind.CONSUMER,
      isBatch ? undefined : links[0]?.context,
      links,
      {
        ...(system === "rabbitmq" && this.#server),
        "messaging.system": system,
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": destination,
        ...(temporary && { "messaging.destination.temporary": true, "messaging.destination.anonymous": true }),
        ...(isBatch ? { "messaging.batch.message_count": messages.length } : aboutOne(first)),
      },
    );
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#flush();
    return this.#stopped;
  }

  async #flush(): Promise<void> {
    // If the exporter fails now, one more second does not help.
    if (!this.#exporter.failing) {
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, stopTimeoutMs);
      await Promise.race([this.#provider.shutdown().catch(() => {}), timeout.promise]);
      clearTimeout(timer);
    }
    trace.disable();
    context.disable();
    propagation.disable();
  }

  #start(name: string, kind: SpanKind, parent: SpanContext | undefined, links: Link[], attributes: Attributes): LiveSpan {
    const under = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    return new LiveSpan(this.#tracer.startSpan(name, { kind, links, attributes }, under));
  }
}

const noUrl = { pathname: "", protocol: "http:", hostname: "", port: "" };

function parentOf(traceparent: unknown): SpanContext | undefined {
  const parsed = parseTraceParent(validTraceparent(traceparent) ?? "");
  return parsed ? { ...parsed, isRemote: true } : undefined;
}

function linkOf({ delivery, event }: HandledMessage): Link[] {
  const creation = parentOf(delivery.origin.traceparent);
  return creation ? [{ context: creation, attributes: { ...idOf(event?.id ?? delivery.origin.id) } }] : [];
}

function aboutOne({ delivery, event }: HandledMessage): Attributes {
  return {
    ...idOf(event?.id ?? delivery.origin.id),
    ...(event && { "warren.event.type": event.type }),
    "warren.attempt": delivery.failures + 1,
    ...(delivery.replay !== "no" && { "warren.replay": true }),
  };
}

function idOf(id: string | undefined): Attributes {
  return id === undefined ? {} : { "messaging.message.id": id };
}

function serverOf(brokerUrl: string): Attributes {
  const { hostname, port, protocol } = new URL(brokerUrl);
  return { "server.address": hostname, "server.port": Number(port) || (protocol === "amqps:" ? 5671 : 5672) };
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  const [, parentBased, kind] = /^(parentbased_)?(.*)$/.exec(sampler) ?? [];
  const root =
    kind === "always_off" ? new AlwaysOffSampler() : kind === "traceidratio" ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
  return parentBased ? new ParentBasedSampler({ root }) : root;
}
