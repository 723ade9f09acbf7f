import type { Options } from "./connection";

/**
 * Fixed part of a content header frame: 8 bytes for its type, channel, size and end; 14 for class, weight, body size and property flags.
 */
const fixedBytes = 8 + 14;

/**
 * Returns an upper bound, in bytes, for the frame with a message's properties and headers. RabbitMQ closes a connection that sends a frame
 * larger than negotiated, and AMQP 0-9-1 cannot split this one. Returns Infinity for headers that are nested too deeply.
 */
export function headerFrameBytes({ headers, ...properties }: Options.Publish): number {
  let bytes = fixedBytes;
  try {
    bytes += tableBytes(headers ?? {});
  } catch {
    // A stack overflow, which amqplib's encoder would have as well.
    return Number.POSITIVE_INFINITY;
  }
  for (const value of Object.values(properties)) bytes += typeof value === "string" ? 1 + Buffer.byteLength(value) : 8;
  return bytes;
}

function tableBytes(table: object): number {
  let bytes = 4;
  for (const [name, value] of Object.entries(table)) {
    if (value !== undefined) bytes += 1 + Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

/** Returns the encoded size of a value. A number takes at most eight bytes after its type tag. */
function valueBytes(value: unknown): number {
  if (typeof value === "string") return 5 + Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (Array.isArray(value)) return value.reduce((bytes: number, each) => bytes + valueBytes(each), 5);
  return typeof value === "object" && value !== null ? 1 + tableBytes(value) : 9;
}
