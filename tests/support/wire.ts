// AMQP 0-9-1 as it goes over a connection: enough to count what is delivered and what is settled.

const methodFrame = 1;
const frameOverhead = 8;
const basic = 60;
const ack = 80;
const nack = 120;
const deliver = 60;

/** Calls back with class and method of each method frame in a stream of bytes. */
function methods(onMethod: (classId: number, method: number) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    // What a client sends first is no frame.
    if (rest.subarray(0, 4).toString("latin1") === "AMQP") rest = rest.subarray(8);
    while (rest.length >= 7) {
      const length = rest.readUInt32BE(3) + frameOverhead;
      if (rest.length < length) return;
      if (rest.readUInt8(0) === methodFrame) onMethod(rest.readUInt16BE(7), rest.readUInt16BE(9));
      rest = rest.subarray(length);
    }
  };
}

/** Counts the messages that a client holds. RabbitMQ itself tells only those that nobody does. */
export class HeldMessages {
  #held = 0;

  get count(): number {
    return this.#held;
  }

  /** Listens to one connection. */
  listen(): { fromServer: (bytes: Buffer) => void; fromClient: (bytes: Buffer) => void } {
    return {
      fromServer: methods((classId, method) => {
        if (classId === basic && method === deliver) this.#held += 1;
      }),
      // Each settles one message: Warren never settles several with one frame.
      fromClient: methods((classId, method) => {
        if (classId === basic && (method === ack || method === nack)) this.#held -= 1;
      }),
    };
  }
}
