const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A `traceparent` as W3C Trace Context (version 00) has it, or undefined: it comes from strangers. */
export function validTraceparent(value: unknown): string | undefined {
  return typeof value === "string" && form.test(value) ? value : undefined;
}

/** What a log line says of a trace: the field that OpenTelemetry's "Trace Context in non-OTLP Log Formats" names. */
export function traceField(traceparent: unknown): { trace_id?: string } {
  const [, id] = (typeof traceparent === "string" && form.exec(traceparent)) || [];
  return id ? { trace_id: id } : {};
}
