import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { causedLog, causedPage } from "../feed/caused-page";
import { type EventQuery, eventParameters, filterOf, type SentEventQuery, startOf } from "../feed/event-query";
import { streamResponse } from "../feed/event-response";
import { EventStreams, type Sink, type StreamTiming } from "../feed/event-streams";
import { StreamPlaces } from "../feed/stream-places";
import { actorOf, expiryOf } from "../http/actor";
import { jsonResponse } from "../http/answer-headers";
import { invalid } from "../http/mistakes";
import { type HttpProblem, problemResponse, problems } from "../http/problem";
import { greatestId, limit, type Parameter, querySchema, readQuery, searchOf, text } from "../http/query";
import { defineRoute } from "../routing/route";
import type { Event } from "../schema/event";
import type { LogEntry } from "../store/log";
import { isVisible } from "../store/visible-history";
import { AnEntry, eventExample } from "./event-schemas";

const tags = ["events"];

/** An entry of the stream in the typed client. One without `data` is not an event: it reports the position of the stream. */
interface Streamed {
  readonly id: number;
  readonly event?: string;
  readonly data?: Event & Record<string, unknown>;
}
const Page = Type.Object(
  {
    events: Type.Array(AnEntry),
    next: Type.Integer({
      minimum: 0,
      description: "Pass it as `after` to continue, either immediately or later for new events. With `before`, pass it as `before`.",
    }),
    more: Type.Boolean({
      description: "Whether the log continues after `next`, or before it. A page may be short or empty without being the last.",
    }),
  },
  { title: "EventPage", examples: [{ events: [{ position: 1, event: eventExample }], next: 1, more: false }] },
);
const streamExample = `retry: 2000\nid: 0\n\nid: 1\nevent: item.created\ndata: ${JSON.stringify(eventExample)}\n\n`;

const before: Parameter<number> = {
  description: "Newest first: only events before this position, an integer, or `end` for the newest. Pass the `next` of the previous page.",
  documented: { type: "string" },
  read: (text) => (text === "end" ? greatestId : eventParameters.after.read(text)),
};
const streamParameters = { ...eventParameters, cause: text(200, "Only events that the event with this id has caused.") };
const pageParameters = {
  ...eventParameters,
  before,
  cause: text(200, "Only events that the event with this id has caused. Cannot be combined with `before`."),
  limit,
};

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
          const { after = 0, cause, limit: most = 50 } = query;
          const scan = { ...filterOf(query, catalogue, actorOf(request)), limit: most, maxLength: maxPageLength };
          if (query.before !== undefined) {
            if (query.after !== undefined) throw notWithBefore("after");
            if (cause !== undefined) throw notWithBefore("cause");
            const { entries, position } = await system.log.scanBack(query.before, scan);
            const more = position > (await system.log.pruned()) + 1;
            return pageOf(entries, position, more ? linkTo(request, path, { before: position }) : undefined) as never;
          }
          const refusal = await refusePosition(request, path, query.after, query);
          if (refusal) return refusal as never;
          const end = await system.log.end();
          if (cause !== undefined) {
            const { entries, position } = await causedPage(system, after, { ...scan, cause, isVisible: isShownTo(request) });
            const link = position === undefined ? undefined : linkTo(request, path, { after: position });
            return pageOf(entries, position ?? end, link) as never;
          }
          const { entries, position } = await system.log.scan(after, scan);
          return pageOf(entries, position, position < end ? linkTo(request, path, { after: position }) : undefined) as never;
        },
        {
          query: querySchema<SentEventQuery & { before?: number | string; cause?: string; limit?: number | string }>(pageParameters),
          response: { 200: Page, ...problems(410, 422, 503) },
          detail: {
            tags,
            summary: "Read the event log",
            description:
              "Returns the events after a position in commit order, or with `before` those before a position, newest first. " +
              "With `resource` and `id`, returns the history of one record; with `cause`, what one event has caused. 410 means that events after the position were removed (EVENT_RETENTION).",
          },
        },
      )
      .get(
        "/stream",
        async ({ request, path, server }) => {
          const { cause, ...query } = readQuery(request.url, streamParameters);
          const filter = filterOf(query, catalogue, actorOf(request));
          const start = startOf(request, query);
          const refusal = await refusePosition(request, path, start, query);
          if (refusal) return refusal as never;
          const place = places.take(clientOf(request, server));
          if (typeof place === "string") return problemResponse(request, 429, { detail: place }, { "retry-after": "60" }) as never;
          const position = start ?? (await system.log.end());
          // Bun would end the stream as idle, because writes to a stream do not count as activity.
          server?.timeout(request, 0);
          const log = cause === undefined ? undefined : causedLog(system, { cause, isVisible: isShownTo(request) });
          const open = (sink: Sink) => streams.open(sink, { position, filter, log });
          return streamResponse(open, place, expiryOf(request)) as unknown as AsyncGenerator<Streamed, void>;
        },
        {
          query: querySchema<SentEventQuery & { cause?: string }>(streamParameters),
          response: problems(410, 422, 429, 503),
          detail: {
            tags,
            summary: "Follow the event log",
            description:
              "Server-sent events: `id` is the position, `event` the type, `data` the event. Starts after the position in `after` or in " +
              "the header `Last-Event-ID`, or at the end of the log. With `cause`, what one event has caused. 410 means that events after the position were removed (EVENT_RETENTION).",
            responses: {
              200: {
                description: "An endless stream.",
                content: { "text/event-stream": { schema: { type: "string" }, example: streamExample } },
              },
            },
          },
        },
      );

    function isShownTo(request: Request): (event: LogEntry) => boolean {
      const actor = actorOf(request);
      return (event) => isVisible(catalogue.resources, event, actor);
    }

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
        return problemResponse(request, 410, { detail }, { link: linkTo(request, path, { after: pruned }) });
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

function notWithBefore(parameter: string): HttpProblem {
  return invalid("query", [{ pointer: "/before", detail: `Cannot be combined with \`${parameter}\`.` }]);
}

/** @param link of the page after this one. Undefined if it is the last. */
function pageOf(entries: readonly LogEntry[], next: number, link: string | undefined): Response {
  const events = entries.map(({ position, body }) => `{"position":${position},"event":${body}}`).join(",");
  return jsonResponse(`{"events":[${events}],"next":${next},"more":${link !== undefined}}`, 200, link === undefined ? {} : { link });
}

/** Returns a `Link` header (RFC 8288) to the same request from another position on. */
function linkTo(request: Request, path: string, place: { readonly after: number } | { readonly before: number }): string {
  const search = searchOf(request.url);
  for (const [name, position] of Object.entries(place)) search.set(name, String(position));
  return `<${path}?${search}>; rel="next"`;
}

export default eventRoutes({ heartbeatMs: 10_000, patienceMs: 30_000, retryMs: 2000 });
