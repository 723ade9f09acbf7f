const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Returns the value if it is a valid `traceparent` per W3C Trace Context (version 00), else undefined. Senders are not trusted. */
export function validTraceparent(value: unknown): string | undefined {
  return typeof value === "string" && form.test(value) ? value : undefined;
}

/** Returns the log field of a trace, named per OpenTelemetry's "Trace Context in non-OTLP Log Formats". */
export function traceField(traceparent: unknown): { trace_id?: string } {
  const [, id] = (typeof traceparent === "string" && form.exec(traceparent)) || [];
  return id ? { trace_id: id } : {};
}
