// A collector that receives spans per OTLP: protobuf over HTTP (opentelemetry-proto, trace/v1/trace.proto).
import type { SeenSpan } from "./trace-tree";

export interface OtlpReceiver {
  /** URL for OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly SeenSpan[];
  /** Requests other than exports of traces. */
  readonly unexpected: readonly string[];
  stop(): void;
}

export function startOtlpReceiver(): OtlpReceiver {
  const spans: SeenSpan[] = [];
  const unexpected: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const type = request.headers.get("content-type");
      if (pathname !== "/v1/traces" || type !== "application/x-protobuf") unexpected.push(`${request.method} ${pathname} ${type}`);
      spans.push(...decodeSpans(await request.bytes()));
      return new Response(null, { headers: { "content-type": "application/x-protobuf" } });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, spans, unexpected, stop: () => void server.stop(true) };
}

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

function decodeSpans(body: Uint8Array): SeenSpan[] {
  return fieldsOf(body)
    .all(1)
    .flatMap((resourceSpans) => {
      const { all, one } = fieldsOf(resourceSpans);
      const service = String(attributesOf(fieldsOf(one(1)).all(1))["service.name"]);
      return all(2).flatMap((scopeSpans) =>
        fieldsOf(scopeSpans)
          .all(2)
          .map((span) => spanOf(span, service)),
      );
    });
}

function spanOf(bytes: Uint8Array, service: string): SeenSpan {
  const { all, one, number } = fieldsOf(bytes);
  const hex = (of: Uint8Array) => Buffer.from(of).toString("hex");
  return {
    traceId: hex(one(1)),
    spanId: hex(one(2)),
    parentSpanId: hex(one(4)) || undefined,
    name: textOf(one(5)),
    kind: kinds[number(6)] ?? "",
    service,
    isError: fieldsOf(one(15)).number(3) === 2,
    attributes: attributesOf(all(9)),
    links: all(13).map((link) => hex(fieldsOf(link).one(2))),
  };
}

function attributesOf(pairs: readonly Uint8Array[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const { one } = fieldsOf(pair);
      const value = fieldsOf(one(2));
      return [textOf(one(1)), value.has(1) ? textOf(value.one(1)) : value.has(2) ? value.number(2) === 1 : value.number(3)];
    }),
  );
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Returns the fields of a protobuf message with their numbers. */
function fieldsOf(bytes: Uint8Array) {
  const fields: [field: number, value: Uint8Array | number][] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint());
    fields.push([Math.floor(tag / 8), value]);
  }
  const all = (field: number) => fields.flatMap(([number, value]) => (number === field && typeof value !== "number" ? [value] : []));
  return {
    all,
    has: (field: number) => fields.some(([number]) => number === field),
    one: (field: number) => all(field).at(-1) ?? new Uint8Array(),
    number: (field: number) => Number(fields.findLast(([number]) => number === field)?.[1] ?? 0),
  };
}
