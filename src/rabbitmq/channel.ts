import type { Channel } from "amqplib";

/**
 * Returns a signal that aborts when the channel closes. Its reason is the error that closed the channel or its connection, if any.
 *
 * @param connectionError Returns the connection's last error, or undefined if there was none.
 */
export function closedSignal(channel: Channel, onError: (error: Error) => void, connectionError: () => Error | undefined): AbortSignal {
  const closed = new AbortController();
  let failure: Error | undefined;
  // Without an `error` listener, a channel's error closes the whole connection.
  channel.on("error", (error) => {
    failure = error;
    onError(error);
  });
  channel.on("close", () => closed.abort(failure ?? connectionError()));
  return closed.signal;
}

/** AMQP reply code for a connection closed by an operator or by a broker that stops. */
const connectionForced = 320;

/** Returns whether RabbitMQ closed a channel or its connection because of something this process sent. */
export function isProtocolError(error: unknown): boolean {
  // A signal that aborts without an error has a `DOMException` as its reason, which has a code of its own.
  if (!(error instanceof Error) || error instanceof DOMException || !("code" in error)) return false;
  return typeof error.code === "number" && error.code !== connectionForced;
}

/** Closes a channel. amqplib never settles `close()` if the connection closes first, so this also resolves when `closed` aborts. */
export async function closeChannel(channel: Channel, closed: AbortSignal): Promise<void> {
  if (!closed.aborted) await Promise.race([channel.close().catch(() => {}), aborted(closed)]);
}

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
