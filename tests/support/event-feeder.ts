// A stream of made-up events for the console, in front of a real API.
import { eventText, greetingText } from "../../src/feed/event-text";
import { serializeEvent } from "../../src/schema/event";

const timestamp = "2026-02-18T18:23:45.123Z";

/** Streams events at a steady rate. Everything else comes from the API. */
export interface Feeder {
  readonly url: string;
  /** Sends more events. Resolves with the position of the last one, when the browser's connection has taken it. */
  feed(count: number): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a server in front of an API. It answers the event stream itself: an API that commits a thousand changes per second beside the
 * browser would measure the machine, not the page.
 *
 * @param perSecond rate of the stream.
 */
export function startFeeder(api: string, perSecond: number): Feeder {
  const stream = Promise.withResolvers<ReadableStreamDefaultController<string>>();
  let position = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname !== "/console/api/events/stream") {
        const headers = new Headers(request.headers);
        headers.delete("host");
        return fetch(`${api}${pathname}${search}`, { method: request.method, headers, decompress: false, signal: request.signal });
      }
      const body = new ReadableStream<string>({
        start(controller) {
          controller.enqueue(greetingText(0, 2000));
          stream.resolve(controller);
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    async feed(count) {
      const controller = await stream.promise;
      const [begin, first] = [performance.now(), position];
      while (position - first < count) {
        // A busy machine sends late what is due, so that no more than the rate is owed.
        const due = Math.min(count, Math.floor(((performance.now() - begin) / 1000) * perSecond));
        let text = "";
        while (position - first < due) {
          position += 1;
          text += eventAt(position);
        }
        if (text !== "") controller.enqueue(text);
        await Bun.sleep(1000 / batchesPerSecond);
      }
      return position;
    },
    stop: () => server.stop(true),
  };
}

/** About as often as the API writes to a stream at such a rate. */
const batchesPerSecond = 100;

function eventAt(position: number): string {
  const id = `0198c0de-0000-7000-8000-${String(position).padStart(12, "0")}`;
  const record = { id: position, name: `Item ${position}`, description: "Of a load test", price: 9.99, version: 1 };
  const times = { createdAt: timestamp, updatedAt: timestamp };
  const body = serializeEvent({ id, type: "item.created", version: 1, timestamp }, "item", JSON.stringify({ ...record, ...times }));
  return eventText({ position, type: "item.created", body } as Parameters<typeof eventText>[0]);
}
