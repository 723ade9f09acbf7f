import { SQL } from "bun";
import type { PostgresAddress } from "../../../config/postgres-url";
import { atMost } from "../../../timing/pause";
import { connectionOptions, type Limits } from "./settings";

/** Pause before another attempt to listen, in milliseconds. */
const retryMs = 1000;

/**
 * Listens on a channel, on a connection of its own, until the returned function is called. Through a pooler, it hears nothing.
 *
 * @param heard called with each notification, and with undefined when some may have been missed.
 */
export function listen(
  address: PostgresAddress,
  limits: Limits,
  channel: string,
  heard: (payload: string | undefined) => void,
): () => void {
  // A pooler passes no notifications on.
  if (address.isPooled) {
    queueMicrotask(() => heard(undefined));
    return () => {};
  }
  let current: SQL | undefined;
  let timer: Timer | undefined;
  let isStopped = false;

  async function open(): Promise<void> {
    let isLost = false;
    const client: SQL = new SQL({
      ...connectionOptions(address, "warren listen", limits),
      idleTimeout: 0,
      // The driver would try again by itself and write to standard error about it.
      onclose: () => {
        isLost = true;
        close(client);
        if (client === current) again(retryMs);
      },
    });
    const former = current;
    current = client;
    let isHeard = false;
    const began = client.listen(
      channel,
      (payload) => heard(payload),
      () => {
        isHeard = true;
      },
    );
    await atMost(limits.connectMs + limits.statementMs, began).catch(() => {});
    if (former) close(former);
    if (isStopped) return close(client);
    if (isHeard && !isLost) {
      heard(undefined);
      again(limits.listenMs);
    } else {
      close(client);
      again(retryMs);
    }
  }

  function again(ms: number): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void open(), ms);
  }

  void open();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    if (current) close(current);
  };
}

function close(client: SQL): void {
  void client.close({ timeout: 0 }).catch(() => {});
}
