import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { queueNamePattern } from "../delivery/queue-name";
import { InvalidSelection, readSelection } from "../delivery/read-selection";
import type { ReplaySelection } from "../delivery/replay-selection";
import { leastRate, NotCancellable, type Replay } from "../delivery/replays";
import { jsonBody } from "../http/json-body";
import { invalid } from "../http/mistakes";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import type { Catalogue } from "../schema/catalogue";
import { UtcTime } from "../schema/time";
import { operatorsOnly } from "./operators";
import { reachable } from "./reachable";

const tags = ["replays"];

const time = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 40, description }));
const Request = Type.Object(
  {
    queue: Type.String({
      pattern: queueNamePattern,
      description: "The only queue that receives the events. A name may contain letters, digits, dots, dashes and underscores.",
    }),
    from: time(
      "Only events from this time on, such as 2026-11-01 or 2026-11-01T08:00:00Z. UTC unless it has an offset. Default: the first event.",
    ),
    to: time("Only events before this time. Default: now."),
    events: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: 100,
        description: "Event types or patterns. Default: all.",
      }),
    ),
    id: Type.Optional(Type.Integer({ minimum: 1, description: "Only events of the record with this id." })),
    rate: Type.Optional(Type.Number({ minimum: leastRate, description: `Maximum number of events per second, ${leastRate} or more.` })),
    force: Type.Optional(Type.Boolean({ description: "Makes consumers handle events again that they have already handled." })),
    dryRun: Type.Optional(Type.Boolean({ description: "Count the events without sending them." })),
  },
  { additionalProperties: false },
);

const ReplaySchema = Type.Unsafe<Replay>(
  Type.Object(
    {
      id: Type.String(),
      queue: Type.String(),
      kind: Type.Union([Type.Literal("replay"), Type.Literal("fill")], { description: "fill: past events for a new queue." }),
      state: Type.Union(
        (["queued", "running", "finished", "failed", "cancelled"] as const).map((state) => Type.Literal(state)),
        { description: "queued: starts after the replays before it." },
      ),
      selection: Type.Unknown({ description: "The selected events." }),
      sent: Type.Integer({ description: "Number of events sent to the queue so far." }),
      progress: Type.Number({ description: "Share of the log that has been read, from 0 to 1." }),
      createdAt: UtcTime("Time of the request."),
      finishedAt: Type.Union([UtcTime("Time when the replay ended."), Type.Null()]),
      error: Type.Union([Type.String(), Type.Null()]),
      note: Type.Union([Type.String(), Type.Null()], {
        description:
          "Events that RabbitMQ refused, and why the replay is waiting, for example because no consumer is running. With RabbitMQ, lists omit the reason for waiting.",
      }),
    },
    {
      examples: [
        {
          id: "0198c0de-0000-7000-8000-000000000001",
          queue: "audit",
          kind: "replay",
          state: "running",
          selection: { types: ["item.created"], subject: null, from: null, to: null, rate: null, force: false },
          sent: 1200,
          progress: 0.4,
          createdAt: "2026-02-18T18:23:45.123Z",
          finishedAt: null,
          error: null,
          note: null,
        },
      ],
    },
  ),
);

const params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 40, description: "Id of the replay." }) });

export default defineRoute(({ replays, catalogue }) =>
  new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue))
    .post(
      "",
      async ({ body, set }) => {
        const selection = selectionOf(body, catalogue);
        if (body.dryRun) return { count: await reachable(replays.count(body.queue, selection)) };
        const replay = await reachable(replays.start(body.queue, selection));
        set.status = 202;
        set.headers.location = `/replays/${replay.id}`;
        return replay;
      },
      {
        ...jsonBody(Request, "application/json"),
        response: {
          200: Type.Object({ count: Type.Integer() }, { description: "The result of a dry run.", examples: [{ count: 1200 }] }),
          202: ReplaySchema,
          ...problems(400, 404, 415, 422, 503),
        },
        detail: {
          tags,
          summary: "Replay past events to one queue",
          description:
            "Runs in the background and continues after a restart. `Location` is the URL of its status. Replayed events have the header `x-replay: true`.",
          requestBody: {
            required: true,
            content: { "application/json": { example: { queue: "audit", events: ["item.*"], dryRun: true } } },
          },
        },
      },
    )
    .get("", async () => ({ replays: await replays.list(100) }), {
      response: { 200: Type.Object({ replays: Type.Array(ReplaySchema) }, { examples: [{ replays: [] }] }) },
      detail: { tags, summary: "List the last 100 replays", description: "Returns the newest first." },
    })
    .delete(
      "/:id",
      async ({ params: { id } }) => {
        const replay = await reachable(replays.cancel(id)).catch((error: unknown) => {
          throw error instanceof NotCancellable ? new HttpProblem(409, error.message) : error;
        });
        if (!replay) throw new HttpProblem(404, `Replay ${id} does not exist.`);
        return replay;
      },
      {
        params,
        response: { 200: ReplaySchema, ...problems(404, 409, 422, 503) },
        detail: {
          tags,
          summary: "Cancel a replay",
          description: "Events already sent stay in the queue. A replay that has ended does not change.",
        },
      },
    )
    .get(
      "/:id",
      async ({ params: { id } }) => {
        const replay = await replays.get(id);
        if (!replay) throw new HttpProblem(404, `Replay ${id} does not exist.`);
        return replay;
      },
      {
        params,
        response: { 200: ReplaySchema, ...problems(404, 422) },
        detail: {
          tags,
          summary: "Get the status of a replay",
          description: "Returns the number of events sent so far and the state of the replay.",
        },
      },
    ),
);

function selectionOf(body: Static<typeof Request>, catalogue: Catalogue): ReplaySelection {
  try {
    return readSelection(body, catalogue, "utc");
  } catch (error) {
    if (!(error instanceof InvalidSelection)) throw error;
    throw invalid(
      "body",
      error.mistakes.map(({ field, detail }) => ({ pointer: `/${field}`, detail })),
    );
  }
}
