import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { HttpProblem, Problem } from "../src/problem";
import { defineRoute, type RelayStatus } from "../src/route";
import { StoreUnavailable } from "../src/store/store";

const tags = ["health"];

const brokerStates: readonly RelayStatus["broker"][] = ["connecting", "connected", "blocked", "closed", "off"];

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal("ready"), Type.Literal("degraded")], {
      description: "degraded: RabbitMQ is expected but away, and events wait in the log.",
    }),
    transport: Type.Union([Type.Literal("rabbitmq"), Type.Literal("embedded")], { description: "How events reach consumers." }),
    broker: Type.Unsafe<RelayStatus["broker"]>(Type.Union(brokerStates.map((state) => Type.Literal(state)))),
    events: Type.Integer({ description: "The position of the newest event in the log." }),
    confirmed: Type.Integer({ description: "The position up to which RabbitMQ has confirmed every event." }),
  },
  { examples: [{ status: "ready", transport: "rabbitmq", broker: "connected", events: 42, confirmed: 42 }] },
);

export default defineRoute(({ store, relay }) =>
  new Elysia()
    .get("/live", () => ({ status: "live" as const }), {
      response: { 200: Type.Object({ status: Type.Literal("live") }, { examples: [{ status: "live" }] }) },
      detail: { tags, summary: "Is the process alive?" },
    })
    .get(
      "/ready",
      async () => {
        await store.check().catch((error: unknown) => {
          throw error instanceof StoreUnavailable ? new HttpProblem(503, "The store cannot be written.") : error;
        });
        const { transport, broker, position } = relay();
        return {
          status: broker === "connected" || transport === "embedded" ? ("ready" as const) : ("degraded" as const),
          transport,
          broker,
          events: await store.log.end(),
          confirmed: position,
        };
      },
      {
        response: { 200: Readiness, 503: Problem },
        detail: {
          tags,
          summary: "Can it do its work?",
          description: "It can without RabbitMQ, too: 503 means that the store cannot be written.",
        },
      },
    ),
);
