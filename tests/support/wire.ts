// Parses AMQP 0-9-1 on a connection, enough to count delivered and settled messages.

const methodFrame = 1;
const frameOverhead = 8;
const basic = 60;
const ack = 80;
const nack = 120;
const deliver = 60;

interface Method {
  readonly channel: number;
  readonly classId: number;
  readonly method: number;
  /** The bytes after the method ID. */
  readonly fields: Buffer;
}

/** Calls back with each method frame in a stream of bytes. */
function methods(onMethod: (method: Method) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    // A client first sends a protocol header, which is not a frame.
    if (rest.subarray(0, 4).toString("latin1") === "AMQP") rest = rest.subarray(8);
    while (rest.length >= 7) {
      const length = rest.readUInt32BE(3) + frameOverhead;
      if (rest.length < length) return;
      if (rest.readUInt8(0) === methodFrame) {
        const [classId, method] = [rest.readUInt16BE(7), rest.readUInt16BE(9)];
        onMethod({ channel: rest.readUInt16BE(1), classId, method, fields: rest.subarray(11, length - 1) });
      }
      rest = rest.subarray(length);
    }
  };
}

/** Counts the messages that clients hold. RabbitMQ itself reports only those that none holds. */
export class HeldMessages {
  readonly #held: Set<bigint>[] = [];

  get count(): number {
    return this.#held.reduce((sum, { size }) => sum + size, 0);
  }

  /** Observes one connection. */
  listen(): { fromServer: (bytes: Buffer) => void; fromClient: (bytes: Buffer) => void } {
    const channels = new Map<number, Set<bigint>>();
    const heldOn = (channel: number) => {
      const known = channels.get(channel) ?? new Set();
      if (!channels.has(channel)) this.#held.push(known);
      channels.set(channel, known);
      return known;
    };
    return {
      fromServer: methods(({ channel, classId, method, fields }) => {
        // The consumer tag, prefixed by its length, comes before the delivery tag.
        if (classId === basic && method === deliver) heldOn(channel).add(fields.readBigUInt64BE(1 + fields.readUInt8(0)));
      }),
      fromClient: methods(({ channel, classId, method, fields }) => {
        if (classId !== basic || (method !== ack && method !== nack)) return;
        const held = heldOn(channel);
        const tag = fields.readBigUInt64BE(0);
        const isMultiple = (fields.readUInt8(8) & 1) === 1;
        for (const other of held) if (other === tag || (isMultiple && other < tag)) held.delete(other);
      }),
    };
  }
}
