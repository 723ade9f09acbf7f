import { longestTimerMs } from "../timing/clock";
import type { Sink } from "./event-streams";

const headers = {
  "content-type": "text/event-stream",
  // For nginx, which would otherwise buffer events.
  "x-accel-buffering": "no",
};

/**
 * Returns the response that carries a stream of server-sent events. Calls `onEnd` once, when the client has left or the stream has ended.
 *
 * @param open starts to write to a sink. It returns a function that ends this, for a client that has left.
 * @param until time at which the stream ends, in milliseconds since 1970, because the client's token expires. Default: never.
 */
export function streamResponse(open: (sink: Sink) => () => void, onEnd: () => void, until?: number): Response {
  const ended = Promise.withResolvers<void>();
  let leave = () => {};
  let end = () => {};
  const timer = until === undefined ? undefined : setTimeout(() => end(), Math.min(until - Date.now(), longestTimerMs));
  void ended.promise.then(() => {
    clearTimeout(timer);
    onEnd();
  });
  // A stream specific to Bun: a write goes to the socket at once, and returns a promise if the socket is full.
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    type: "direct",
    // Bun closes the stream when this promise resolves.
    pull(controller) {
      const sink = sinkOf(controller, ended.resolve);
      leave = open(sink);
      end = () => {
        leave();
        sink.end();
      };
      return ended.promise;
    },
    cancel() {
      leave();
      ended.resolve();
    },
  };
  return new Response(new ReadableStream(source), { headers });
}

function sinkOf(controller: ReadableStreamDirectController, onEnd: () => void): Sink {
  return {
    write(bytes) {
      const written = [controller.write(bytes), controller.flush()];
      return written.some((each) => typeof each !== "number") ? Promise.all(written) : undefined;
    },
    end() {
      controller.end();
      onEnd();
    },
    cut() {
      // Closes the connection and discards what the client has not taken.
      controller.close(new Error("The client is not reading the stream."));
      onEnd();
    },
  };
}
