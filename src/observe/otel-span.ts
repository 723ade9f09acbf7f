import { context, type Span as OtelSpan, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ServerSpan, SpanTrouble } from "./tracing";

/** A span of OpenTelemetry's SDK, recorded or not depending on the sampler. */
export class LiveSpan implements ServerSpan {
  readonly traceparent: string;
  #ended = false;

  constructor(readonly span: OtelSpan) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(ROOT_CONTEXT, this.span), work);
  }

  respond(method: string, status: number, route: string | undefined, requestId: string | null): void {
    this.span.setAttribute("http.response.status_code", status);
    if (requestId !== null) this.span.setAttribute("http.response.header.x-request-id", [requestId]);
    if (route !== undefined) this.span.updateName(`${method} ${route}`).setAttribute("http.route", route);
    this.end(status >= 500 ? { type: String(status) } : undefined);
  }

  end(trouble?: SpanTrouble, attributes?: Readonly<Record<string, string | number>>): void {
    if (this.#ended) return;
    this.#ended = true;
    if (attributes) this.span.setAttributes(attributes);
    if (trouble) {
      const { type, message, stack } = trouble;
      this.span.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
      if (message !== undefined) {
        const exception = { "exception.type": type, "exception.message": message, ...(stack && { "exception.stacktrace": stack }) };
        this.span.addEvent("exception", exception);
      }
    }
    this.span.end();
  }
}
