import { Elysia } from "elysia";
import { streamResponse } from "../feed/event-response";
import type { Sink } from "../feed/event-streams";
import { StreamPlaces } from "../feed/stream-places";
import { expiryOf } from "../http/actor";
import { problemResponse, problems } from "../http/problem";
import { querySchema, readQuery, word } from "../http/query";
import { defineRoute } from "../routing/route";
import { type Range, ranges } from "../status/history";
import { StatusStreams } from "../status/status-streams";
import { operatorsOnly } from "./operators";
import { AHistory, AStatus, statusExample } from "./status-schemas";

const tags = ["status"];

const historyParameters = {
  range: word(Object.keys(ranges) as readonly string[] as readonly Range[], "How far back: `15m` (default), `1h`, `6h` or `24h`.", "15m"),
};

/** Maximum number of open streams of the status. */
const mostStreams = 500;

const { at, flow } = statusExample;
const streamExample = `retry: 2000\n\nevent: status\ndata: ${JSON.stringify(statusExample)}\n\nevent: change\ndata: ${JSON.stringify({ at, flow })}\n\n`;

/** The state of the whole system: once, each second, and of the past. */
export default defineRoute(({ status, catalogue, clientOf, stopping }) => {
  const streams = new StatusStreams(status);
  const places = new StreamPlaces(mostStreams);
  stopping.addEventListener("abort", () => streams.close());

  return new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue, "read"))
    .get("", () => status.look(), {
      response: { 200: AStatus, ...problems(503) },
      detail: {
        tags,
        summary: "Show the state of the whole system",
        description:
          "Returns what `bun run status --json` prints, and more. `broker`, `here`, and the latencies of requests and commits are of the process " +
          "that responds; all else is of all processes. Rates cover the time since the look before. If nobody has looked for 10 seconds, the response " +
          "takes a second, to measure them.",
      },
    })
    .get(
      "/stream",
      ({ request, server }) => {
        readQuery(request.url, {});
        const place = places.take(clientOf(request, server));
        if (typeof place === "string") return problemResponse(request, 429, { detail: place }, { "retry-after": "60" }) as never;
        // Bun would end the stream as idle, because writes to a stream do not count as activity.
        server?.timeout(request, 0);
        return streamResponse((sink: Sink) => streams.open(sink), place, expiryOf(request)) as never;
      },
      {
        response: problems(422, 429, 503),
        detail: {
          tags,
          summary: "Follow the state of the whole system",
          description:
            "Server-sent events. The first one, `status`, is the whole state. Each second, `change` has the properties of it that have changed. " +
            "Changes are left out until the stream sends no more than about 2 kB a second. `failure` says that the state cannot be read now.",
          responses: {
            200: {
              description: "An endless stream.",
              content: { "text/event-stream": { schema: { type: "string" }, example: streamExample } },
            },
          },
        },
      },
    )
    .get("/history", ({ request }) => status.history(readQuery(request.url, historyParameters).range ?? "15m"), {
      query: querySchema<{ range?: Range }>(historyParameters),
      response: { 200: AHistory, ...problems(422) },
      detail: {
        tags,
        summary: "Show the flow of events in the past",
        description:
          "Returns rates per second in equal steps, and how many events waited in each queue at their end. In the memory of the process that responds: " +
          "since its start, and null where nothing is known. What is committed and confirmed is always known; the rest while somebody looked.",
      },
    });
});
