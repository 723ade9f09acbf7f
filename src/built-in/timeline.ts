import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { consumerStates, type Timeline } from "../delivery/timeline";
import { HttpProblem, Problem } from "../http/problem";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";

const time = "2026-02-18T18:23:45.123Z";
const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const nullableTime = (description: string) => Type.Union([UtcTime(description), Type.Null()], { description });
const one = (values: readonly string[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  );

const AnAttempt = Type.Object({
  attempt: Type.Integer({ description: "Counted anew after a redrive." }),
  at: UtcTime("When it ended."),
  outcome: one(["handled", "retry", "dead-letter"], "What came of it."),
  reason: nullable("Why it was given up."),
  error: nullable("What the handler threw."),
  nextAt: nullableTime("When the next attempt is due."),
});
const AConsumer = Type.Object({
  queue: Type.String(),
  state: one(consumerStates, "`unknown`: the note says why."),
  at: nullableTime("Since when it is in this state."),
  note: nullable("What else there is to say."),
  attempts: Type.Array(AnAttempt, { description: "Of an event that failed at least once: the newest 10,000 of each consumer are kept." }),
});
const example: Timeline = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  subject: 1,
  position: 1,
  traceparent: null,
  transport: "rabbitmq",
  request: { id: "0198c0de-0000-7000-8000-000000000000", at: time },
  committedAt: "2026-02-18T18:23:45.125Z",
  broker: { state: "confirmed", confirmedBy: "2026-02-18T18:23:45.151Z" },
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
      subject: Type.Integer({ description: "The id of the record." }),
      position: Type.Integer({ description: "In the event log." }),
      traceparent: nullable("W3C trace context."),
      transport: one(["rabbitmq", "embedded"], "The one of the service now."),
      request: Type.Object({ id: nullable("`X-Request-Id`."), at: nullableTime("When it came.") }),
      committedAt: UtcTime("Within the commit, which ended some milliseconds later."),
      broker: Type.Object({
        state: one(["confirmed", "pending", "none"], "Whether RabbitMQ has it; `none`: there is no RabbitMQ."),
        confirmedBy: nullableTime("It was confirmed by then, or up to some 20 ms before."),
      }),
      consumers: Type.Array(AConsumer),
    },
    { title: "Timeline", examples: [example] },
  ),
);

/** The delivery history of one event. */
export default defineRoute(({ timeline }) =>
  new Elysia().get(
    "",
    async ({ params: { id } }): Promise<Timeline> => {
      const found = await timeline(id);
      if (!found) throw new HttpProblem(404, "The log has no event with this id. Events older than EVENT_RETENTION are removed.");
      return found;
    },
    {
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200, description: "The id of an event." }) }),
      response: { 200: ATimeline, 404: Problem, 422: Problem, 503: Problem },
      detail: {
        tags: ["events"],
        summary: "What became of an event",
        description:
          "When the request came, when it committed, when RabbitMQ confirmed, and how far each consumer is with it. " +
          "What cannot be known is null or `unknown`, with the reason. Times are ISO 8601, UTC.",
      },
    },
  ),
);
