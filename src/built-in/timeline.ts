import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { consumerStates, type Timeline } from "../delivery/timeline";
import { actorOf } from "../http/actor";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import type { LogEntry } from "../store/log";
import { isVisible } from "../store/visible-history";

const time = "2026-02-18T18:23:45.123Z";
const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const nullableTime = (description: string) => Type.Union([UtcTime(description), Type.Null()], { description });
const one = (values: readonly string[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  );

const AnAttempt = Type.Object({
  attempt: Type.Integer({ description: "Number of the attempt. A redrive resets it." }),
  at: UtcTime("Time when the attempt ended."),
  outcome: one(["handled", "retry", "dead-letter"], "Outcome of the attempt."),
  reason: nullable("Reason why the event was dead-lettered."),
  error: nullable("The error that the handler threw."),
  nextAt: nullableTime("Time of the next attempt."),
});
const AConsumer = Type.Object({
  queue: Type.String(),
  state: one(consumerStates, "`unknown`: the note gives the reason."),
  at: nullableTime("Time when this state began."),
  note: nullable("Additional information."),
  attempts: Type.Array(AnAttempt, {
    description: "Attempts of an event that failed at least once. Each consumer keeps the newest 10,000.",
  }),
});
const Related = Type.Object({
  id: Type.String(),
  type: Type.String(),
  subject: Type.Integer({ description: "Id of the record." }),
});
const example: Timeline = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  subject: 1,
  position: 1,
  traceparent: null,
  transport: "rabbitmq",
  request: { id: "0198c0de-0000-7000-8000-000000000000", at: time, actor: "ada" },
  committedAt: "2026-02-18T18:23:45.125Z",
  broker: { state: "confirmed", confirmedBy: "2026-02-18T18:23:45.151Z" },
  causes: [],
  caused: [{ id: "0198c0de-0000-7000-8000-000000000002", type: "item.updated", subject: 1 }],
  consumers: [
    {
      queue: "stock",
      state: "handled",
      at: "2026-02-18T18:23:46.201Z",
      note: null,
      attempts: [
        {
          attempt: 1,
          at: "2026-02-18T18:23:45.160Z",
          outcome: "retry",
          reason: null,
          error: "Error: the warehouse does not answer",
          nextAt: "2026-02-18T18:23:46.160Z",
        },
        { attempt: 2, at: "2026-02-18T18:23:46.201Z", outcome: "handled", reason: null, error: null, nextAt: null },
      ],
    },
  ],
};
const ATimeline = Type.Unsafe<Timeline>(
  Type.Object(
    {
      id: Type.String(),
      type: Type.String(),
      subject: Type.Integer({ description: "Id of the record." }),
      position: Type.Integer({ description: "Position in the event log." }),
      traceparent: nullable("W3C trace context."),
      transport: one(["rabbitmq", "embedded"], "The current transport of the service."),
      request: Type.Object({
        id: nullable("`X-Request-Id`."),
        at: nullableTime("Time when the request arrived."),
        actor: nullable("Who made the change."),
      }),
      committedAt: UtcTime("Time during the commit, which ended a few milliseconds later."),
      broker: Type.Object({
        state: one(
          ["confirmed", "pending", "none"],
          "Whether RabbitMQ has confirmed the event. `none`: the service runs without RabbitMQ.",
        ),
        confirmedBy: nullableTime("Upper bound of the time of the confirm, at most about 20 ms after it."),
      }),
      causes: Type.Array(Related, {
        description: "The events that led to this one, each caused by the next: the event whose handler made the change comes first.",
      }),
      caused: Type.Array(Related, { description: "The events that handlers of this one have caused, in order. At most 100." }),
      consumers: Type.Array(AConsumer),
    },
    { title: "Timeline", examples: [example] },
  ),
);

/** The delivery history of one event. */
export default defineRoute(({ timeline, system, catalogue }) =>
  new Elysia().get(
    "",
    async ({ params: { id }, request }): Promise<Timeline> => {
      const event = await system.find(id);
      const isShown = (one: LogEntry) => isVisible(catalogue.resources, one, actorOf(request));
      const found = event && isShown(event) ? await timeline(id, isShown) : undefined;
      if (!found) throw new HttpProblem(404, "No event with this id is in the log. Events older than EVENT_RETENTION are removed.");
      return found;
    },
    {
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200, description: "Id of the event." }) }),
      response: { 200: ATimeline, ...problems(404, 422, 503) },
      detail: {
        tags: ["events"],
        summary: "Get the delivery history of an event",
        description:
          "Returns when the request arrived, when it was committed, when RabbitMQ confirmed it, and the state at each consumer. " +
          "Unknown values are null or `unknown`, with the reason. Times are ISO 8601 in UTC.",
      },
    },
  ),
);
