// The AMQP message of an event: routing key, properties, headers.
import { describe, expect, test } from "bun:test";
import { toMessage } from "../src/rabbitmq/message";
import type { LogEntry } from "../src/store/log";
import { encodedBytes } from "./support/wire-bytes";

const entry: LogEntry = {
  position: 7,
  id: "0198c5a0-0000-7000-8000-000000000000",
  type: "item.created",
  subject: 42,
  timestamp: "2026-02-18T18:23:45.123Z",
  body: '{"name":"Käse 🧀"}',
  traceparent: null,
};

describe("the message of an event", () => {
  test("has the body as UTF-8, the type as routing key, and these properties", () => {
    const { exchange, routingKey, content, options } = toMessage(entry, "events");
    expect({ exchange, routingKey }).toEqual({ exchange: "events", routingKey: "item.created" });
    expect(content).toEqual(Buffer.from('{"name":"Käse 🧀"}', "utf8"));
    expect(options).toEqual({
      messageId: entry.id,
      type: "item.created",
      // Whole seconds: AMQP 0-9-1 has no finer time. The body has the milliseconds.
      timestamp: 1_771_439_025,
      contentType: "application/json",
      persistent: true,
      headers: {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": entry.id,
        "cloudEvents:type": "item.created",
        "cloudEvents:source": "/item",
        "cloudEvents:subject": "42",
        "cloudEvents:time": "2026-02-18T18:23:45.123Z",
      },
    });
  });

  test.each(["soon", "", "1960-01-01T00:00:00.000Z"])("can be written whatever its time says (%p)", (timestamp) => {
    const { options } = toMessage({ ...entry, timestamp }, "events");
    expect(options.timestamp).toBeUndefined();
    expect(encodedBytes(options)).toBeGreaterThan(0);
  });

  test("fits into the smallest frame of AMQP, however long the name of its type", () => {
    const type = `${"r".repeat(41)}.${"e".repeat(41)}`;
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { options } = toMessage({ ...entry, type, subject: Number.MAX_SAFE_INTEGER, traceparent }, "events");
    expect(encodedBytes({ ...options, headers: { ...options.headers, "x-replay": true, "x-replay-forced": true } })).toBeLessThan(1024);
  });

  test("goes to the exchange that its resource names", () => {
    expect(toMessage({ ...entry, type: "order_line.deleted" }, "sales")).toMatchObject({
      exchange: "sales",
      routingKey: "order_line.deleted",
      options: { headers: { "cloudEvents:source": "/order_line" } },
    });
  });

  test("carries the trace context where there is one", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(toMessage({ ...entry, traceparent }, "events").options.headers).toMatchObject({ traceparent });
    expect(toMessage(entry, "events").options.headers).not.toHaveProperty("traceparent");
  });
});
