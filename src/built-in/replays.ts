import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { ConsumerError, checkQueueName, queueNamePattern } from "../delivery/consumer-options";
import type { ReplaySelection } from "../delivery/replay-selection";
import { leastRate, NotCancellable, type Replay } from "../delivery/replays";
import { jsonBody } from "../http/json-body";
import { invalid } from "../http/mistakes";
import { HttpProblem, Problem } from "../http/problem";
import { defineRoute } from "../routing/route";
import { parseTime, UtcTime } from "../schema/time";
import { reachable } from "./reachable";

const tags = ["replays"];

const time = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 40, description }));
const Request = Type.Object(
  {
    queue: Type.String({
      pattern: queueNamePattern,
      description: "The queue that gets the events, and no other. Its name has letters, digits, dots, dashes and underscores.",
    }),
    from: time(
      "Events from this time on, such as 2026-11-01 or 2026-11-01T08:00:00Z; UTC unless it says otherwise. Default: from the first event on.",
    ),
    to: time("Events before this time. Default: up to now."),
    events: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: 100,
        description: "Types or patterns. Default: all.",
      }),
    ),
    id: Type.Optional(Type.Integer({ minimum: 1, description: "Only events of the record with this id." })),
    rate: Type.Optional(Type.Number({ minimum: leastRate, description: `Events a second at most; ${leastRate} or more.` })),
    force: Type.Optional(Type.Boolean({ description: "Also for a consumer that has handled them before, and remembers." })),
    dryRun: Type.Optional(Type.Boolean({ description: "Count the events, and send none." })),
  },
  { additionalProperties: false },
);

const ReplaySchema = Type.Unsafe<Replay>(
  Type.Object(
    {
      id: Type.String(),
      queue: Type.String(),
      kind: Type.Union([Type.Literal("replay"), Type.Literal("fill")], { description: "fill: the past for a queue that is new." }),
      state: Type.Union(
        (["queued", "running", "finished", "failed", "cancelled"] as const).map((state) => Type.Literal(state)),
        { description: "queued: it begins when others have finished." },
      ),
      selection: Type.Unknown({ description: "Which events." }),
      sent: Type.Integer({ description: "Events sent to the queue so far." }),
      progress: Type.Number({ description: "How much of the log it has been through, from 0 to 1." }),
      createdAt: UtcTime("When it was asked for."),
      finishedAt: Type.Union([UtcTime("When it ended."), Type.Null()]),
      error: Type.Union([Type.String(), Type.Null()]),
      note: Type.Union([Type.String(), Type.Null()], {
        description:
          "Which events RabbitMQ refused, and why it does not get on although nothing is wrong, such as that no consumer runs. The latter is not told in a list on RabbitMQ.",
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

const params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 40, description: "The id of a replay." }) });

export default defineRoute(({ replays, catalogue }) =>
  new Elysia()
    .post(
      "",
      async ({ body, set }) => {
        const selection = selectionOf(body, (patterns) => catalogue.select(patterns));
        if (body.dryRun) return { count: await reachable(replays.count(body.queue, selection)) };
        const replay = await reachable(replays.start(body.queue, selection));
        set.status = 202;
        set.headers.location = `/replays/${replay.id}`;
        return replay;
      },
      {
        ...jsonBody(Request, "application/json"),
        response: {
          200: Type.Object({ count: Type.Integer() }, { description: "A dry run.", examples: [{ count: 1200 }] }),
          202: ReplaySchema,
          400: Problem,
          404: Problem,
          415: Problem,
          422: Problem,
          503: Problem,
        },
        detail: {
          tags,
          summary: "Send past events to one queue again",
          description:
            "Goes on by itself, also through a restart; the answer's Location tells how it goes. The events say `x-replay: true`.",
          requestBody: {
            required: true,
            content: { "application/json": { example: { queue: "audit", events: ["item.*"], dryRun: true } } },
          },
        },
      },
    )
    .get("", async () => ({ replays: await replays.list(100) }), {
      response: { 200: Type.Object({ replays: Type.Array(ReplaySchema) }, { examples: [{ replays: [] }] }) },
      detail: { tags, summary: "List the last 100 replays", description: "The newest first." },
    })
    .delete(
      "/:id",
      async ({ params: { id } }) => {
        const replay = await reachable(replays.cancel(id)).catch((error: unknown) => {
          throw error instanceof NotCancellable ? new HttpProblem(409, error.message) : error;
        });
        if (!replay) throw new HttpProblem(404, `There is no replay ${id}.`);
        return replay;
      },
      {
        params,
        response: { 200: ReplaySchema, 404: Problem, 409: Problem, 422: Problem, 503: Problem },
        detail: {
          tags,
          summary: "Cancel a replay",
          description: "What was sent is sent, and nothing more comes. One that has ended is left as it is.",
        },
      },
    )
    .get(
      "/:id",
      async ({ params: { id } }) => {
        const replay = await replays.get(id);
        if (!replay) throw new HttpProblem(404, `There is no replay ${id}.`);
        return replay;
      },
      {
        params,
        response: { 200: ReplaySchema, 404: Problem, 422: Problem },
        detail: { tags, summary: "How a replay goes", description: "How many events were sent so far, and whether it has ended." },
      },
    ),
);

function selectionOf(body: Static<typeof Request>, select: (patterns: readonly string[]) => string[]): ReplaySelection {
  const mistakes: { pointer: string; detail: string }[] = [];
  const attempt = <T>(pointer: string, read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      mistakes.push({ pointer, detail: (error as Error).message });
      return null;
    }
  };
  const { queue, events, id, rate, force } = body;
  attempt("/queue", () => checkQueueName(queue));
  const selection: ReplaySelection = {
    types: events ? attempt("/events", () => select(events)) : null,
    subject: id ?? null,
    from: body.from === undefined ? null : attempt("/from", () => isoTime(body.from as string)),
    to: body.to === undefined ? null : attempt("/to", () => isoTime(body.to as string)),
    rate: rate ?? null,
    force: force ?? false,
  };
  const { from, to } = selection;
  if (from !== null && to !== null && from >= to) mistakes.push({ pointer: "/to", detail: "A time after `from`." });
  if (mistakes.length > 0) throw invalid("body", mistakes);
  return selection;
}

function isoTime(text: string): string {
  const time = parseTime(text, "utc");
  if (!time) throw new ConsumerError("A day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z.");
  return time.toISOString();
}
