import type { Channel } from "amqplib";
import { aborted } from "../timing/pause";

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

/** Closes a channel. amqplib never settles `close()` if the connection closes first, so this also resolves when `closed` aborts. */
export async function closeChannel(channel: Channel, closed: AbortSignal): Promise<void> {
  if (!closed.aborted) await Promise.race([channel.close().catch(() => {}), aborted(closed)]);
}
