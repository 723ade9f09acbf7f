import { Type } from "@sinclair/typebox";
import type { Server } from "bun";
import { Elysia } from "elysia";
import type { DeadLetterPage, DeadSelection } from "../delivery/dead-letters";
import { deadReasons } from "../delivery/outcome";
import { queueNamePattern } from "../delivery/queue-name";
import { jsonBody } from "../http/json-body";
import { HttpProblem, problems } from "../http/problem";
import { greatestId, integer, limit, querySchema, readQuery, text, word } from "../http/query";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import { operatorsOnly } from "./operators";
import { reachable } from "./reachable";

const tags = ["dead letters"];
const params = Type.Object({ queue: Type.String({ pattern: queueNamePattern, description: "Name of the queue." }) });

const ofType = "Only events of this type.";
const withReason = `Only dead letters with this reason: ${deadReasons.join(", ")}.`;
const filterParameters = { type: text(200, ofType), reason: text(200, withReason) };
const listParameters = {
  limit,
  after: integer(0, greatestId, "The `next` of the previous page, an integer."),
  ...filterParameters,
};
const discardParameters = {
  // Bun refuses a request line and headers of more than 16 KiB in total.
  ids: text(12_000, "Only events with these ids, separated by commas."),
  ...filterParameters,
  all: word(["true"], "Selects all dead letters of the queue. Required if there is no filter."),
};

const Selection = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: 1000,
        description: "Only events with these ids.",
      }),
    ),
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: ofType })),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: withReason })),
  },
  { additionalProperties: false, description: "A dead letter is selected if it matches every filter. Without filters, all are selected." },
);

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const DeadLetterSchema = Type.Object({
  id: Type.String({ description: "Id of the event; empty if the message has no id." }),
  type: nullable("Type of the event; null if the message does not contain it."),
  reason: Type.String({ description: `Reason why the event was dead-lettered: ${deadReasons.join(", ")}.` }),
  error: Type.String(),
  stack: nullable("Stack trace of the handler's error, truncated."),
  attempts: Type.Integer(),
  firstFailure: Type.Union([UtcTime("Time of the first failure."), Type.Null()]),
  lastFailure: Type.Union([UtcTime("Time of the last failure."), Type.Null()]),
  body: Type.Unknown({ description: "The event as JSON; as text if it is not JSON; in base64 if it is not text. Truncated to 64 KiB." }),
  bodyEncoding: Type.Union([Type.Literal("json"), Type.Literal("text"), Type.Literal("base64")]),
  bodyBytes: Type.Integer({ description: "Size of the complete body." }),
});
const next = Type.Union([Type.Integer(), Type.Null()], { description: "Pass it as `after` to get the next page; null on the last page." });
const example = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  reason: "attempts-exhausted",
  error: "Error: the warehouse does not answer",
  stack: null,
  attempts: 5,
  firstFailure: "2026-02-18T18:23:45.123Z",
  lastFailure: "2026-02-18T18:24:01.456Z",
  body: { type: "item.created" },
  bodyEncoding: "json",
  bodyBytes: 23,
};

export default defineRoute(({ deadLetters, catalogue }) =>
  new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue))
    .get("", async () => ({ queues: await reachable(deadLetters.queues()) }), {
      response: {
        200: Type.Object(
          { queues: Type.Array(Type.Object({ queue: Type.String(), count: Type.Integer() })) },
          { examples: [{ queues: [{ queue: "item_events", count: 2 }] }] },
        ),
        ...problems(503),
      },
      detail: {
        tags,
        summary: "Count dead letters by queue",
        description: "Returns every known queue with the number of its dead letters.",
      },
    })
    .get(
      "/:queue",
      ({ params, request }): Promise<DeadLetterPage> => {
        const { limit: most = 50, after = 0, ...selection } = readQuery(request.url, listParameters);
        return reachable(deadLetters.list(params.queue, selection, after, most));
      },
      {
        params,
        query: querySchema<{ limit?: number | string; after?: number | string; type?: string; reason?: string }>(listParameters),
        response: {
          200: Type.Object({ deadLetters: Type.Array(DeadLetterSchema), next }, { examples: [{ deadLetters: [example], next: null }] }),
          ...problems(404, 422, 503),
        },
        detail: { tags, summary: "List a queue's dead letters", description: "Returns the oldest first and removes nothing." },
      },
    )
    .post(
      "/:queue/redrive",
      async ({ params, body, server, request }) => {
        takesTime(server, request);
        return { redriven: await reachable(deadLetters.redrive(params.queue, body as DeadSelection)) };
      },
      {
        params,
        ...jsonBody(Selection, "application/json"),
        response: {
          200: Type.Object({ redriven: Type.Integer() }, { examples: [{ redriven: 2 }] }),
          ...problems(400, 404, 415, 422, 503),
        },
        detail: {
          tags,
          summary: "Redrive dead letters",
          description:
            "Puts dead letters back on their queue and resets their attempts. A dead letter is removed only after its queue has confirmed it.",
          requestBody: { required: true, content: { "application/json": { example: { reason: "attempts-exhausted" } } } },
        },
      },
    )
    .delete(
      "/:queue",
      async ({ params, server, request }) => {
        takesTime(server, request);
        return { discarded: await reachable(deadLetters.discard(params.queue, discarded(readQuery(request.url, discardParameters)))) };
      },
      {
        params,
        query: querySchema<DiscardQuery>(discardParameters),
        response: {
          200: Type.Object({ discarded: Type.Integer() }, { examples: [{ discarded: 2 }] }),
          ...problems(404, 422, 503),
        },
        detail: {
          tags,
          summary: "Discard dead letters permanently",
          description: "Discards the dead letters that match every filter, or all with `all=true`.",
        },
      },
    ),
);

type DiscardQuery = { all?: "true"; ids?: string; type?: string; reason?: string };

/** Returns the selection to discard. Discarding is final, so omitting every filter must not select all. */
function discarded({ all, ...filters }: DiscardQuery): DeadSelection {
  const isFiltered = Object.keys(filters).length > 0;
  if (all && isFiltered)
    throw new HttpProblem(
      422,
      "`all=true` selects every dead letter of the queue and cannot be combined with filters. Remove one of them.",
    );
  if (!all && !isFiltered) throw new HttpProblem(422, "No dead letters selected. Use `ids`, `type`, `reason`, or `all=true`.");
  return selectionOf(filters);
}

function selectionOf({ ids, ...rest }: Omit<DiscardQuery, "all">): DeadSelection {
  return { ...rest, ...(ids !== undefined && { ids: ids.split(",") }) };
}

/** Removes the idle timeout of a request, which would end a long operation. */
function takesTime(server: Server<unknown> | null, request: Request): void {
  server?.timeout(request, 0);
}
