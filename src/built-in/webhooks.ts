import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { actorOf } from "../http/actor";
import { problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import { type ShownWebhook, webhookStates, webhooksOf } from "../status/webhooks";
import { operatorsOnly } from "./operators";
import { ALatency } from "./status-schemas";

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const example: ShownWebhook = {
  ...{ name: "crm", queue: "webhook.crm", url: "https://crm.example.com", types: ["item.created"], state: "delivering", processes: 1 },
  ...{ disabledSince: null, answers: [{ at: "2026-02-18T18:23:45.123Z", status: 204, ms: 42 }], delivered: 120, failed: 1 },
  ...{ handler: { p50: 0.041, p99: 0.21, count: 121 }, lastError: null },
};

const AWebhook = Type.Unsafe<ShownWebhook>(
  Type.Object({
    name: Type.String({ description: "Name of the subscription." }),
    queue: Type.String(),
    url: nullable("Scheme and host of its URL. The path is not shown, since it may be secret. null: no process runs it."),
    types: Type.Union([Type.Array(Type.String()), Type.Null()], { description: "The event types that it gets. null: not known yet." }),
    state: Type.Union(
      webhookStates.map((state) => Type.Literal(state)),
      {
        description:
          "delivering. paused: too many deliveries fail. disabled: the subscriber answered 410 Gone. stopped: no process runs it.",
      },
    ),
    processes: Type.Integer({ minimum: 0, description: "Number of processes that run it." }),
    disabledSince: Type.Union([UtcTime("Time of the first event that was not delivered."), Type.Null()]),
    answers: Type.Array(
      Type.Object({
        at: UtcTime("When it came."),
        status: Type.Union([Type.Integer(), Type.Null()], { description: "null: there was none in time." }),
        ms: Type.Integer({ description: "Milliseconds that it took." }),
      }),
      { description: "The latest answers of each process, at most 10, oldest first." },
    ),
    delivered: Type.Integer({ minimum: 0, description: "Events handled since the processes started." }),
    failed: Type.Integer({ minimum: 0, description: "Attempts that failed since the processes started." }),
    handler: ALatency("A delivery, in the slowest process."),
    lastError: Type.Union(
      [Type.Object({ at: UtcTime("When it happened."), event: nullable("Id of the event."), error: Type.String() }), Type.Null()],
      { description: "Only for tokens with the scope `admin`. null: no attempt failed." },
    ),
  }),
);

/** The subscriptions of webhooks, as their consumers report. */
export default defineRoute(({ status, topology, catalogue }) =>
  new Elysia().onBeforeHandle(operatorsOnly(catalogue, "read")).get(
    "",
    async ({ request }) => {
      const [{ queues }, consumers] = await Promise.all([topology(), status.consumers()]);
      const webhooks = webhooksOf(queues, consumers);
      const actor = actorOf(request);
      const seesErrors = !actor || actor.scopes.includes("admin");
      return { webhooks: seesErrors ? webhooks : webhooks.map((webhook) => ({ ...webhook, lastError: null })) };
    },
    {
      response: { 200: Type.Object({ webhooks: Type.Array(AWebhook) }, { examples: [{ webhooks: [example] }] }), ...problems(503) },
      detail: {
        tags: ["status"],
        summary: "Show the subscriptions of webhooks",
        description:
          "Returns every queue of a subscription, and what the process that delivers its events has reported: the last answers, and since when a " +
          "subscription is disabled. How many events wait is in `/status`.",
      },
    },
  ),
);
