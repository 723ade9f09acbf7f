import { Type } from "@sinclair/typebox";
import type { Server } from "bun";
import { Elysia } from "elysia";
import { deadGroupsOf } from "../delivery/dead-groups";
import type { DeadSelection } from "../delivery/dead-letters";
import { queueNamePattern } from "../delivery/queue-name";
import { type ShownDeadLetter, shownDeadLetter } from "../delivery/shown-dead-letter";
import { jsonBody } from "../http/json-body";
import { HttpProblem, problems } from "../http/problem";
import { querySchema, readQuery } from "../http/query";
import { defineRoute } from "../routing/route";
import {
  DeadGroupList,
  DeadLetterList,
  discardParameters,
  type FilterQuery,
  filterParameters,
  listParameters,
  Selection,
} from "./dead-letter-schemas";
import { operatorsOnly } from "./operators";
import { reachable } from "./reachable";

const tags = ["dead letters"];
const params = Type.Object({ queue: Type.String({ pattern: queueNamePattern, description: "Name of the queue." }) });

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
      async ({ params, request }) => {
        const { limit: most = 50, after = 0, body, ...selection } = readQuery(request.url, listParameters);
        const page = await reachable(deadLetters.list(params.queue, selection, after, most));
        const shown = page.deadLetters.map((letter) => shownDeadLetter(letter, catalogue));
        return { ...page, deadLetters: body === "none" ? shown.map(withoutBody) : shown };
      },
      {
        params,
        query: querySchema<FilterQuery & { limit?: number | string; after?: number | string; body?: "none" }>(listParameters),
        response: { 200: DeadLetterList, ...problems(404, 422, 503) },
        detail: {
          tags,
          summary: "List a queue's dead letters",
          description: "Returns the oldest first and removes nothing. With a search, a page can be short or empty and still have a `next`.",
        },
      },
    )
    .get(
      "/:queue/groups",
      ({ params, request, server }) => {
        takesTime(server, request);
        return reachable(deadGroupsOf(deadLetters, params.queue, readQuery(request.url, filterParameters)));
      },
      {
        params,
        query: querySchema<FilterQuery>(filterParameters),
        response: { 200: DeadGroupList, ...problems(404, 422, 503) },
        detail: {
          tags,
          summary: "Group a queue's dead letters by error",
          description:
            "Searches the oldest 10,000 in one pass and removes nothing. Errors are the same if their reason and first line are, apart from numbers, ids and text in quotes.",
        },
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

type DiscardQuery = FilterQuery & { all?: "true"; ids?: string };

/** Returns the selection to discard. Discarding is final, so omitting every filter must not select all. */
function discarded({ all, ...filters }: DiscardQuery): DeadSelection {
  const isFiltered = Object.keys(filters).length > 0;
  if (all && isFiltered)
    throw new HttpProblem(
      422,
      "`all=true` selects every dead letter of the queue and cannot be combined with filters. Remove one of them.",
    );
  if (!all && !isFiltered)
    throw new HttpProblem(422, "No dead letters selected. Use `ids`, `type`, `reason`, `group`, `search`, `from`, `to`, or `all=true`.");
  return selectionOf(filters);
}

function selectionOf({ ids, ...rest }: Omit<DiscardQuery, "all">): DeadSelection {
  return { ...rest, ...(ids !== undefined && { ids: ids.split(",") }) };
}

/** Removes the idle timeout of a request, which would end a long operation. */
function takesTime(server: Server<unknown> | null, request: Request): void {
  server?.timeout(request, 0);
}

function withoutBody(letter: ShownDeadLetter): ShownDeadLetter {
  return { ...letter, body: null, stack: null };
}
