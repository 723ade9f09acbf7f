import type { Config } from "../config";
import { redactUrl } from "../config/redact-url";
import { type Log, messageOf } from "./logging";

/** A piece of work as a trace shows it. */
export interface Span {
  /** The W3C trace context for what belongs under it; null without tracing. */
  readonly traceparent: string | null;
  /** Runs `work` with this span as OpenTelemetry's active one. */
  run<T>(work: () => T): T;
  /** Further calls change nothing. A span that is never ended is never sent. */
  end(trouble?: SpanTrouble, attributes?: Readonly<Record<string, string | number>>): void;
}

/** Why a piece of work failed. */
export interface SpanTrouble {
  /** One of a few, such as the name of an error's class. */
  readonly type: string;
  readonly message?: string;
  readonly stack?: string | null;
}

export interface ServerSpan extends Span {
  /** Ends the span with what was answered. */
  respond(method: string, status: number, route: string | undefined, requestId: string | null): void;
}

/** A message on its way to the broker. */
export interface SentMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly options: { readonly messageId: string; readonly headers?: Readonly<Record<string, unknown>> };
}

/** Where a message that is handled comes from. */
export interface MessageOrigin {
  readonly system: "rabbitmq" | "warren";
  /** As the conventions for this system have it. */
  readonly destination: string;
  readonly temporary: boolean;
  readonly id: string | undefined;
  readonly traceparent: string | undefined;
}

/** A message with a handler; `event` is there if it could be read. */
export interface HandledMessage {
  readonly delivery: { readonly failures: number; readonly replay: string; readonly origin: MessageOrigin };
  readonly event?: { readonly id: string; readonly type: string };
}

/**
 * What the program tells about its work. The spans follow OpenTelemetry's semantic conventions for HTTP and messaging: the
 * log's event has a Create span, whose context goes with it wherever it goes; the spans of sending and processing are
 * its children, and linked to it.
 */
export interface Tracing {
  /** An HTTP request that begins; undefined for one that is not traced. There is no such method while no request is. */
  readonly request?: (request: Request) => ServerSpan | undefined;
  /** An event is written to the log; the span ends with the commit. */
  create(event: { readonly id: string; readonly type: string }, parent: string | undefined): Span;
  /** A message is sent; the span ends with the broker's confirm. */
  send(message: SentMessage): Span;
  /** One attempt to handle a message, or a batch of them. */
  process(messages: readonly HandledMessage[]): Span;
  /** Sends what is left, but holds up the exit of the process for a second at most. */
  stop(): Promise<void>;
}

export const noSpan: Span = { traceparent: null, run: (work) => work(), end() {} };

/** Tracing that is off: costs nothing, and loads nothing. */
export const noTracing: Tracing = {
  create: () => noSpan,
  send: () => noSpan,
  process: () => noSpan,
  stop: async () => {},
};

/**
 * Starts tracing if it is configured. OpenTelemetry's SDK is loaded only then.
 *
 * @param serviceName is what OTEL_SERVICE_NAME overrides.
 */
export async function startTracing({ tracing, rabbitmq }: Config, serviceName: string, log: Log): Promise<Tracing> {
  if (!tracing) return noTracing;
  const endpoint = redactUrl(tracing.endpoint);
  try {
    const { OtelTracing } = await import("./otel");
    const started = new OtelTracing(tracing, { serviceName, brokerUrl: rabbitmq?.url, log });
    log.info({ endpoint }, "Traces are sent to an OpenTelemetry collector");
    return started;
  } catch (error) {
    log.error({ endpoint, error: messageOf(error) }, "Tracing could not be started; all else works without it");
    return noTracing;
  }
}
