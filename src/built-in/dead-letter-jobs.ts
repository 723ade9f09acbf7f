import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { DeadLetterJob } from "../delivery/dead-letter-job";
import { queueNamePattern } from "../delivery/queue-name";
import { actorOf } from "../http/actor";
import { jsonBody } from "../http/json-body";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import { selectionProperties } from "./dead-letter-schemas";
import { operatorsOnly } from "./operators";
import { reachable } from "./reachable";

const tags = ["dead letters"];
const action = (description: string) => Type.Union([Type.Literal("redrive"), Type.Literal("discard")], { description });

const Request = Type.Object(
  {
    action: action("redrive: puts dead letters back on their queue. discard: removes them permanently."),
    queue: Type.String({ pattern: queueNamePattern, description: "Name of the queue." }),
    ...selectionProperties,
    upTo: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "The `upTo` of a list or of groups: leaves alone dead letters that came later. Default: those that come after the request.",
      }),
    ),
    all: Type.Optional(Type.Literal(true, { description: "Selects all. Required if there is no filter, apart from `upTo`." })),
  },
  { additionalProperties: false },
);

const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const job: DeadLetterJob = {
  ...{ id: "0198c0de-0000-7000-8000-000000000001", action: "redrive", queue: "stock", selection: { reason: "attempts-exhausted" } },
  ...{ state: "running", looked: 1204, total: 3310, done: 1204, createdAt: "2026-02-18T18:23:45.123Z", finishedAt: null },
  ...{ by: "ada", error: null, process: { host: "api-1", pid: 12 } },
};
const jobProperties = {
  id: Type.String(),
  action: action("What is done."),
  queue: Type.String(),
  selection: Type.Unknown({ description: "The filters of the request." }),
  state: Type.Union(
    (["queued", "running", "finished", "stopped", "failed"] as const).map((state) => Type.Literal(state)),
    { description: "queued: begins after the other jobs of its queue. stopped: ended early, on request." },
  ),
  looked: Type.Integer({ description: "Number of dead letters that were looked at." }),
  total: Type.Integer({ description: "Number of dead letters to look at; 0 until the first." }),
  done: Type.Integer({ description: "Number of those redriven or discarded so far." }),
  createdAt: UtcTime("Time of the request."),
  finishedAt: Type.Union([UtcTime("When it ended."), Type.Null()]),
  by: nullableText("Who requested it. null: the API requires no token."),
  error: nullableText("Why it failed. The dead letters that were not done are as they were."),
  process: Type.Object({ host: Type.String(), pid: Type.Integer() }, { description: "The process that works on it." }),
};
const Job = Type.Unsafe<DeadLetterJob>(Type.Object(jobProperties, { title: "DeadLetterJob", examples: [job] }));
const params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 40, description: "Id of the job." }) });

/** Redriving and discarding many dead letters in the background. */
export default defineRoute(({ deadLetterJobs, catalogue }) =>
  new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue))
    .post(
      "",
      async ({ body, set, request }) => {
        const { action, queue, all, ...selection } = body as Static<typeof Request>;
        refuseUnselected(all, selection);
        const starting = deadLetterJobs.start(action, queue, selection, actorOf(request)?.subject ?? null);
        const started = await reachable(starting);
        set.status = 202;
        set.headers.location = `/dead-letter-jobs/${started.id}`;
        return started;
      },
      {
        ...jsonBody(Request, "application/json"),
        response: { 202: Job, ...problems(400, 404, 415, 422, 503) },
        detail: {
          tags,
          summary: "Redrive or discard many dead letters in the background",
          description:
            "`Location` is the URL of its progress. The job is in the memory of the process that responds and ends with it; what was not done is still a " +
            "dead letter then. On PostgreSQL, the other processes show and stop it, too. Jobs of one queue and process run one after another.",
          requestBody: {
            required: true,
            content: { "application/json": { example: { action: "redrive", queue: "audit", reason: "attempts-exhausted" } } },
          },
        },
      },
    )
    .get("", () => ({ jobs: deadLetterJobs.list() }), {
      response: { 200: Type.Object({ jobs: Type.Array(Job) }, { examples: [{ jobs: [job] }] }) },
      detail: {
        tags,
        summary: "List the last 100 jobs",
        description: "Returns the newest first: those of this process, and those that it has heard of from others on PostgreSQL.",
      },
    })
    .get("/:id", ({ params: { id } }) => existing(id, deadLetterJobs.get(id)), {
      params,
      response: { 200: Job, ...problems(404, 422) },
      detail: {
        tags,
        summary: "Get the progress of a job",
        description: "Of several processes, any shows it: it is at most a second old in another one than that which works on it.",
      },
    })
    .delete("/:id", async ({ params: { id } }) => existing(id, await deadLetterJobs.stop(id)), {
      params,
      response: { 200: Job, ...problems(404, 422) },
      detail: { tags, summary: "Stop a job", description: "What it has done stays done. A job that has ended does not change." },
    }),
);

/** Refuses a request that does not say what is selected, so that one without filters does not select everything by mistake. */
function refuseUnselected(all: true | undefined, { upTo: _, ...filters }: Omit<Static<typeof Request>, "action" | "queue" | "all">): void {
  const isFiltered = Object.keys(filters).length > 0;
  if (all && isFiltered)
    throw new HttpProblem(422, "`all` selects every dead letter of the queue and cannot be combined with filters. Remove one of them.");
  if (!all && !isFiltered) throw new HttpProblem(422, "No dead letters selected. Use a filter, or `all`.");
}

function existing(id: string, job: DeadLetterJob | undefined): DeadLetterJob {
  if (!job)
    throw new HttpProblem(
      404,
      `There is no job ${id} here. It may be one of another process that this one has not heard of, or of one that has ended.`,
    );
  return job;
}
