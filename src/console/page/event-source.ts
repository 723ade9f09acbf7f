import { Refused, send } from "./api";

/** An entry of a stream of server-sent events. */
export interface Entry {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export type Connection = "connecting" | "live" | "lost";

export interface Follower {
  /** Called with the entries that arrived together. */
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Called if the API refuses the stream, which then ends. */
  readonly onRefused?: (error: Refused) => void;
}

const reconnectMs = 2000;

/**
 * Follows a stream until the signal aborts. It is closed while the page is hidden, and continues after the last entry when it is shown
 * again, or after the connection was lost. `EventSource` could send no header of the page's own.
 */
export async function follow(path: string, { onEntries, onConnection, onRefused }: Follower, stop: AbortSignal): Promise<void> {
  let lastId = "";
  while (!stop.aborted) {
    await whenVisible(stop);
    if (stop.aborted) return;
    onConnection("connecting");
    const hidden = new AbortController();
    const hide = () => document.hidden && hidden.abort();
    document.addEventListener("visibilitychange", hide);
    const startedAt = performance.now();
    try {
      const headers: Record<string, string> = lastId ? { "last-event-id": lastId } : {};
      const { body } = await send(path, { signal: AbortSignal.any([stop, hidden.signal]), headers });
      onConnection("live");
      for await (const entries of entriesOf(body as ReadableStream<Uint8Array>)) {
        lastId = entries.at(-1)?.id || lastId;
        const shown = entries.filter(({ data }) => data !== "");
        if (shown.length > 0) onEntries(shown);
      }
      // One that ends by itself may have had a token that expired: the next one may begin at once.
      if (performance.now() - startedAt > reconnectMs) continue;
    } catch (error) {
      if (error instanceof Refused && error.problem.status < 500 && error.problem.status !== 429) {
        onRefused?.(error);
        return;
      }
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
    if (stop.aborted || hidden.signal.aborted) continue;
    onConnection("lost");
    await pause(reconnectMs, stop);
  }
}

/** Yields the entries of each part of the stream that arrives. */
async function* entriesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Entry[]> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const texts = (rest + value).split("\n\n");
    rest = texts.pop() ?? "";
    if (texts.length > 0) yield texts.map(entryOf);
  }
}

function entryOf(text: string): Entry {
  const field = (name: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trimStart() ?? "";
  return { id: field("id"), event: field("event"), data: field("data") };
}

function whenVisible(stop: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", end);
      resolve();
    };
    document.addEventListener("visibilitychange", end);
    stop.addEventListener("abort", end, { once: true });
  });
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener("abort", end, { once: true });
  });
}
