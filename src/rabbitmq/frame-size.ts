import type { Options } from "./connection";

/** Type, channel, size and end of a frame; class, weight, size of the body, and flags of the properties. */
const fixedBytes = 8 + 14;

/**
 * The size of the frame with a message's properties and headers, in bytes; never less than it will be. RabbitMQ ends a
 * connection on which a frame is larger than was negotiated, and AMQP 0-9-1 cannot split this one. Infinite for headers that
 * are nested too deeply.
 */
export function headerFrameBytes({ headers, ...properties }: Options.Publish): number {
  let bytes = fixedBytes;
  try {
    bytes += tableBytes(headers ?? {});
  } catch {
    // A stack overflow; amqplib's encoder would have one as well.
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

/** The types of numbers have up to eight bytes after their tag. */
function valueBytes(value: unknown): number {
  if (typeof value === "string") return 5 + Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (Array.isArray(value)) return value.reduce((bytes: number, each) => bytes + valueBytes(each), 5);
  return typeof value === "object" && value !== null ? 1 + tableBytes(value) : 9;
}
