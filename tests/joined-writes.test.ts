// How amqplib's frames get to the socket: those of one turn at once, in order, and no more than the socket takes.
import { expect, test } from "bun:test";
import { PassThrough, Writable } from "node:stream";
import { joinWrites } from "../src/rabbitmq/joined-writes";

// amqplib does not export it.
const { Mux } = require("../node_modules/amqplib/lib/mux.js") as {
  Mux: new (socket: Writable) => { _readIncoming(): void; readonly out: Writable; pipeFrom(channel: PassThrough): void };
};

/** A socket that notes each write, and takes the next one when it is told to. */
class Socket extends Writable {
  readonly writes: string[] = [];
  #taken: (() => void) | undefined;

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.toString()).join(""));
    this.#taken = done;
  }

  drain(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }
}

function connection(highWaterMark: number) {
  const socket = new Socket({ highWaterMark });
  const muxer = new Mux(socket);
  joinWrites({ muxer });
  const channel = new PassThrough({ objectMode: true, highWaterMark: 1024 });
  muxer.pipeFrom(channel);
  return { socket, channel };
}

const turn = () => new Promise(setImmediate);

test("frames of one turn are one write", async () => {
  const { socket, channel } = connection(1000);
  for (const frame of ["a", "b", "c"]) channel.write(Buffer.from(frame));
  await turn();
  await turn();
  expect(socket.writes).toEqual(["abc"]);
});

test("a socket that is full gets the others once it has drained, in order", async () => {
  const { socket, channel } = connection(4);
  const frames = [..."0123456789"];
  for (const frame of frames) channel.write(Buffer.from(frame));
  for (let turns = 0; turns < 20; turns += 1) {
    await turn();
    // It has taken no more than what it had room for.
    expect(socket.writableLength).toBeLessThanOrEqual(4);
    socket.drain();
  }
  expect(socket.writes.join("")).toBe(frames.join(""));
  expect(socket.writes[0]).toBe("0123");
});

test("a version of amqplib that writes differently is refused", () => {
  expect(() => joinWrites({})).toThrow("adapt src/rabbitmq/joined-writes.ts");
});
