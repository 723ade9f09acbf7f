import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type EventQuery, eventParameters, filterOf, type SentEventQuery, startOf } from "../feed/event-query";
import { streamResponse } from "../feed/event-response";
import { EventStreams, type Sink, type StreamTiming } from "../feed/event-streams";
import { StreamPlaces } from "../feed/stream-places";
import { actorOf, expiryOf } from "../http/actor";
import { jsonResponse } from "../http/answer-headers";
import { problemResponse, problems } from "../http/problem";
import { limit, querySchema, readQuery, searchOf } from "../http/query";
import { defineRoute } from "../routing/route";
import type { Event } from "../schema/event";
import { UtcTime } from "../schema/time";

const tags = ["events"];

const example = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  version: 1,
  item: { id: 1, name: "Sample Item", description: null, price: 9.99, version: 1, createdAt: "2026-02-18T18:23:45.123Z" },
  timestamp: "2026-02-18T18:23:45.123Z",
};
const AnEvent = Type.Unsafe<Event & Record<string, unknown>>(
  Type.Object(
    {
      id: Type.String({ description: "Unique id, a UUIDv7." }),
      type: Type.String(),
      version: Type.Integer({ minimum: 1, description: "Schema version of the event type." }),
      timestamp: UtcTime("Time of the change."),
      actor: Type.Optional(
        Type.String({ description: "Who made the change. Missing if that was the service itself, or if the API has no tokens." }),
      ),
      cause: Type.Optional(Type.String({ description: "Id of the event whose handler made the change. Missing if no handler did." })),
      depth: Type.Optional(
        Type.Integer({ minimum: 1, description: "Number of events that led to this one, each caused by the one before." }),
      ),
    },
    {
      additionalProperties: true,
      description: "The event as consumers receive it. The record is in the property named after its resource.",
    },
  ),
);
/** An entry of the stream in the typed client. One without `data` is not an event: it reports the position of the stream. */
interface Streamed {
  readonly id: number;
  readonly event?: string;
  readonly data?: Event & Record<string, unknown>;
}
const Page = Type.Object(
  {
    events: Type.Array(Type.Object({ position: Type.Integer({ minimum: 1 }), event: AnEvent })),
    next: Type.Integer({ minimum: 0, description: "Pass it as `after` to continue, either immediately or later for new events." }),
    more: Type.Boolean({ description: "Whether the log continues after `next`. A page may be short or empty without being the last." }),
  },
  { title: "EventPage", examples: [{ events: [{ position: 1, event: example }], next: 1, more: false }] },
);
const text = `retry: 2000\nid: 0\n\nid: 1\nevent: item.created\ndata: ${JSON.stringify(example)}\n\n`;

const pageParameters = { ...eventParameters, limit };

/** Maximum total length of the events in a response, in characters. A single longer event is still sent. */
const maxPageLength = 4 * 1024 * 1024;

/** Builds the routes of the event log: pages and a live stream. */
export function eventRoutes(timing: StreamTiming) {
  return defineRoute(({ system, catalogue, clientOf, stopping }) => {
    const streams = new EventStreams(system.log, timing);
    const places = new StreamPlaces();
    system.onAppend(() => streams.wake());
    stopping.addEventListener("abort", () => streams.close());

    return new Elysia()
      .get(
        "",
        async ({ request, path }) => {
          const query = readQuery(request.url, pageParameters);
          const { after = 0, limit: most = 50 } = query;
          const filter = filterOf(query, catalogue, actorOf(request));
          const refusal = await refusePosition(request, path, query.after, query);
          if (refusal) return refusal as never;
          const end = await system.log.end();
          const { entries, position } = await system.log.scan(after, { ...filter, limit: most, maxLength: maxPageLength });
          const more = position < end;
          const events = entries.map((entry) => `{"position":${entry.position},"event":${entry.body}}`).join(",");
          const text = `{"events":[${events}],"next":${position},"more":${more}}`;
          return jsonResponse(text, 200, more ? { link: linkAfter(request, path, position) } : {}) as never;
        },
        {
          query: querySchema<SentEventQuery & { limit?: number | string }>(pageParameters),
          response: { 200: Page, ...problems(410, 422, 503) },
          detail: {
            tags,
            summary: "Read the event log",
            description:
              "Returns the events after a position in commit order. " +
              "With `resource` and `id`, returns the history of one record. 410 means that events after the position were removed (EVENT_RETENTION).",
          },
        },
      )
      .get(
        "/stream",
        async ({ request, path, server }) => {
          const query = readQuery(request.url, eventParameters);
          const filter = filterOf(query, catalogue, actorOf(request));
          const start = startOf(request, query);
          const refusal = await refusePosition(request, path, start, query);
          if (refusal) return refusal as never;
          const place = places.take(clientOf(request, server));
          if (typeof place === "string") return problemResponse(request, 429, { detail: place }, { "retry-after": "60" }) as never;
          const position = start ?? (await system.log.end());
          // Bun would end the stream as idle, because writes to a stream do not count as activity.
          server?.timeout(request, 0);
          const open = (sink: Sink) => streams.open(sink, { position, filter });
          return streamResponse(open, place, expiryOf(request)) as unknown as AsyncGenerator<Streamed, void>;
        },
        {
          query: querySchema<SentEventQuery>(eventParameters),
          response: problems(410, 422, 429, 503),
          detail: {
            tags,
            summary: "Follow the event log",
            description:
              "Server-sent events: `id` is the position, `event` the type, `data` the event. Starts after the position in `after` or in " +
              "the header `Last-Event-ID`, or at the end of the log. 410 means that events after the position were removed (EVENT_RETENTION).",
            responses: {
              200: {
                description: "An endless stream.",
                content: { "text/event-stream": { schema: { type: "string" }, example: text } },
              },
            },
          },
        },
      );

    /**
     * Returns a response for a position that cannot be read from: 410 if events after it were removed, 422 if it is after
     * the end of the log.
     */
    async function refusePosition(
      request: Request,
      path: string,
      position: number | undefined,
      query: EventQuery,
    ): Promise<Response | undefined> {
      if (position === undefined) return undefined;
      const [pruned, end] = [await system.log.pruned(), await system.log.end()];
      if (position < pruned) {
        const detail = `Events up to position ${pruned} were removed, including some after ${position}. Continue with after=${pruned}.`;
        return problemResponse(request, 410, { detail }, { link: linkAfter(request, path, pruned) });
      }
      if (position > end) {
        const detail = `The position is after the end of the log, ${end}. An older backup may have been restored.`;
        return problemResponse(request, 422, {
          detail,
          errors: [{ pointer: query.after === undefined ? "/last-event-id" : "/after", detail }],
        });
      }
      return undefined;
    }
  });
}

/** Returns a `Link` header (RFC 8288) to the same request from another position on. */
function linkAfter(request: Request, path: string, position: number): string {
  const search = searchOf(request.url);
  search.set("after", String(position));
  return `<${path}?${search}>; rel="next"`;
}

export default eventRoutes({ heartbeatMs: 10_000, patienceMs: 30_000, retryMs: 2000 });
