import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { queueNamePattern } from "../delivery/queue-name";
import { actorOf } from "../http/actor";
import { problems } from "../http/problem";
import { flag, querySchema, readQuery } from "../http/query";
import { defineRoute, type RemovedQueue } from "../routing/route";
import { UtcTime } from "../schema/time";
import type { ReportedConsumer } from "../status/consumer-reports";
import { operatorsOnly } from "./operators";
import { reachable } from "./reachable";
import { ALatency } from "./status-schemas";

const count = (description: string) => Type.Integer({ minimum: 0, description });
const rate = (description: string) => Type.Number({ description: `${description}, per second, between its last two reports.` });

type ShownConsumer = Omit<ReportedConsumer, "webhook">;

const example: ShownConsumer = {
  ...{ queue: "stock", host: "worker-1", pid: 77, startedAt: "2026-02-18T08:00:00.000Z", at: "2026-02-18T18:23:45.123Z" },
  ...{ stage: "consuming", breaker: "closed", handled: 1200, failed: 3, retried: 2, deadLettered: 1, duplicates: 0, skipped: 0 },
  ...{ handledPerSecond: 71.2, failedPerSecond: 0, handler: { p50: 0.0024, p99: 0.21, count: 1203 }, delay: null },
  lastError: {
    at: "2026-02-18T18:20:00.000Z",
    event: "0198c0de-0000-7000-8000-000000000001",
    error: "Error: the warehouse does not answer",
  },
};

const AConsumer = Type.Unsafe<ShownConsumer>(
  Type.Object({
    queue: Type.String(),
    host: Type.String(),
    pid: Type.Integer(),
    startedAt: UtcTime("When it started."),
    at: UtcTime("When it last reported, by its clock."),
    stage: Type.String({ description: "waiting: for its queue or the database. consuming. replaced: its database or file was." }),
    breaker: Type.String({ description: "Circuit breaker: closed, open or half-open." }),
    handled: count("Events handled since its start."),
    failed: count("Attempts that failed since its start."),
    retried: count("Of those, attempts after which the event is retried."),
    deadLettered: count("Of those, attempts after which the event became a dead letter."),
    duplicates: count("Events that it had handled before."),
    skipped: count("Events that it does not subscribe to."),
    handledPerSecond: rate("Events handled"),
    failedPerSecond: rate("Attempts that failed"),
    handler: ALatency("The handler, since its start."),
    delay: ALatency("From the change until its event was handled, since its start."),
    lastError: Type.Union(
      [
        Type.Object({
          at: UtcTime("When it happened."),
          event: Type.Union([Type.String(), Type.Null()], { description: "Id of the event." }),
          error: Type.String(),
        }),
        Type.Null(),
      ],
      { description: "Only for tokens with the scope `admin`. null: no attempt failed." },
    ),
  }),
);

const Removed = Type.Unsafe<RemovedQueue>(
  Type.Object(
    {
      removed: Type.String({ description: "Name of the queue." }),
      messages: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: "Events that waited. null: not known." }),
      retries: count("Failed events that waited for their next attempt."),
      deadLetters: count("Its dead letters."),
    },
    { examples: [{ removed: "old-stock", messages: 0, retries: 0, deadLetters: 2 }] },
  ),
);

const tags = ["status"];
const removalParameters = { force: flag("`true`: remove it although what is in it is lost.") };

/** The running consumers, as they report, and the removal of queues that none needs any more. */
export default defineRoute(({ status, catalogue, removeQueue }) =>
  new Elysia()
    .get(
      "",
      async ({ request }) => {
        const consumers = (await status.consumers()).map(({ webhook: _, ...consumer }): ShownConsumer => consumer);
        const actor = actorOf(request);
        const seesErrors = !actor || actor.scopes.includes("admin");
        return { consumers: seesErrors ? consumers : consumers.map((consumer) => ({ ...consumer, lastError: null })) };
      },
      {
        beforeHandle: operatorsOnly(catalogue, "read"),
        response: { 200: Type.Object({ consumers: Type.Array(AConsumer) }, { examples: [{ consumers: [example] }] }), ...problems(503) },
        detail: {
          tags,
          summary: "Show the running consumers",
          description:
            "Returns what each process has reported of each consumer. Consumers report every 5 seconds if something has changed, else every 15. One that " +
            "has not for 30 seconds is left out. On RabbitMQ, the process that responds hears of them only while somebody looks.",
        },
      },
    )
    .delete(
      "/:queue",
      ({ params, request }) => reachable(removeQueue(params.queue, { force: readQuery(request.url, removalParameters).force ?? false })),
      {
        beforeHandle: operatorsOnly(catalogue),
        params: Type.Object({ queue: Type.String({ pattern: queueNamePattern, description: "Name of the queue." }) }),
        query: querySchema<{ force?: boolean }>(removalParameters),
        response: { 200: Removed, ...problems(404, 409, 422, 503) },
        detail: {
          tags,
          summary: "Remove the queue of a consumer that is gone",
          description:
            "Removes a consumer's own queue with its retries, dead letters and schedule, as `bun run queues remove` does. Events stay in the log, from which a " +
            "new consumer gets them. 409 while a consumer runs, for the queue of a resource on RabbitMQ, and if something in it would be lost, unless `force=true`.",
        },
      },
    ),
);
