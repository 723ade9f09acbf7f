import type { Channel } from "amqplib";

/**
 * A signal that aborts when the channel closes. Its reason is the error that closed the channel or its connection, if it
 * was one.
 *
 * @param connectionError returns the connection's last error, undefined if there was none.
 */
export function closedSignal(channel: Channel, onError: (error: Error) => void, connectionError: () => Error | undefined): AbortSignal {
  const closed = new AbortController();
  let failure: Error | undefined;
  // Without a listener for `error`, a channel's error takes the whole connection down.
  channel.on("error", (error) => {
    failure = error;
    onError(error);
  });
  channel.on("close", () => closed.abort(failure ?? connectionError()));
  return closed.signal;
}

/** AMQP's reply code of a connection that an operator closes, or a broker that stops. */
const connectionForced = 320;

/** Whether RabbitMQ itself closed a channel, or its connection, because of something that it was sent. */
export function isProtocolError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "number" && error.code !== connectionForced;
}

/** amqplib never answers a close that the close of the whole connection overtakes; the channel's own event tells. */
export async function closeChannel(channel: Channel, closed: AbortSignal): Promise<void> {
  if (!closed.aborted) await Promise.race([channel.close().catch(() => {}), aborted(closed)]);
}

/** Fulfils when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
