import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { problems } from "../http/problem";
import { defineRoute, type ProjectConsumer } from "../routing/route";
import { UtcTime } from "../schema/time";
import { operatorsOnly } from "./operators";

const types = Type.Array(Type.String(), { description: "Event types." });

const ATopology = Type.Object(
  {
    transport: Type.Union([Type.Literal("rabbitmq"), Type.Literal("embedded")], { description: "How events reach consumers." }),
    resources: Type.Array(
      Type.Object({
        name: Type.String(),
        exchange: Type.String({ description: "Exchange of its events on RabbitMQ." }),
        queue: Type.String({ description: "Its shared queue." }),
        types,
      }),
    ),
    queues: Type.Array(
      Type.Object({
        queue: Type.String(),
        kind: Type.Union([Type.Literal("shared"), Type.Literal("own")], {
          description: "shared: the queue of a resource. own: a consumer's own queue.",
        }),
        types: Type.Union([types, Type.Null()], {
          description: "The event types that it gets. null: its consumer has not read this log yet.",
        }),
        announcedAt: Type.Union([UtcTime("When its consumer last announced it; without RabbitMQ, when it last wrote."), Type.Null()]),
        consumers: Type.Array(Type.String(), { description: "Names of the consumers in `consumers/` with this queue." }),
      }),
    ),
  },
  {
    title: "Topology",
    examples: [
      {
        transport: "rabbitmq",
        resources: [{ name: "item", exchange: "items", queue: "item_events", types: ["item.created"] }],
        queues: [{ queue: "stock", kind: "own", types: ["item.created"], announcedAt: "2026-02-18T18:23:45.123Z", consumers: ["stock"] }],
      },
    ],
  },
);

/** How events go from resources to queues. */
export default defineRoute(({ topology, catalogue, project: { consumers } }) =>
  new Elysia().onBeforeHandle(operatorsOnly(catalogue, "read")).get(
    "",
    async () => {
      const { queues, ...rest } = await topology();
      return { ...rest, queues: queues.map((each) => ({ ...each, consumers: consumersOf(each.queue, consumers) })) };
    },
    {
      response: { 200: ATopology, ...problems(503) },
      detail: {
        tags: ["status"],
        summary: "Show how events reach queues",
        description:
          "Returns the resources, and the queues with the event types that each gets. How many events wait in them is in `/status`.",
      },
    },
  ),
);

/** Returns the names of the consumers whose queue it is. A queue such as `webhook.{name}` stands for several. */
function consumersOf(queue: string, consumers: readonly ProjectConsumer[]): string[] {
  const isOf = (pattern: string) =>
    new RegExp(
      `^${pattern
        .split(/\{\w+\}/)
        .map((text) => RegExp.escape(text))
        .join(".+")}$`,
    ).test(queue);
  return consumers.filter((consumer) => consumer.queue !== undefined && isOf(consumer.queue)).map(({ name }) => name);
}
