import type { Writable } from "node:stream";

/** Members of amqplib's connection that its types leave out: what passes the frames of all channels on to the socket, in turn. */
interface Sender {
  readonly muxer: { _readIncoming(): void; readonly out: Pick<Writable, "cork" | "uncork"> };
}

/**
 * Makes an amqplib connection write the frames of one turn of the event loop at once. It writes each message by itself otherwise, in a
 * packet of its own, which costs both this process and the broker a call of the system.
 *
 * @throws {TypeError} if this version of amqplib writes frames differently.
 */
export function joinWrites(connection: object): void {
  if (!isSender(connection)) throw new TypeError("This version of amqplib writes frames differently; adapt src/rabbitmq/joined-writes.ts");
  const { muxer } = connection;
  const pass = muxer._readIncoming.bind(muxer);
  muxer._readIncoming = () => {
    muxer.out.cork();
    try {
      pass();
    } finally {
      muxer.out.uncork();
    }
  };
}

function isSender(connection: object): connection is Sender {
  if (!("muxer" in connection) || typeof connection.muxer !== "object" || connection.muxer === null) return false;
  const { muxer } = connection;
  return "_readIncoming" in muxer && typeof muxer._readIncoming === "function" && "out" in muxer;
}
