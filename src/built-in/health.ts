import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { mostLateSeconds, timerState } from "../delivery/timer-state";
import { HttpProblem, problems } from "../http/problem";
import { backlogOf, oldBacklogSeconds } from "../rabbitmq/backlog";
import { whyUnavailable } from "../rabbitmq/unavailable";
import { defineRoute, type RelayStatus } from "../routing/route";
import { StoreReplaced, StoreUnavailable } from "../store/errors";
import { isRemoved } from "../store/open";
import { isAbandoned } from "../store/schedule-times";
import { now } from "../timing/clock";

const tags = ["health"];

const brokerStates: readonly RelayStatus["broker"][] = ["connecting", "connected", "blocked", "closed", "off"];

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal("ready"), Type.Literal("degraded")], {
      description:
        "degraded: the API works, but events are not reaching RabbitMQ, or are not published later, as expected. They are kept until they are.",
    }),
    problems: Type.Array(Type.String(), { description: "Reasons for the degraded status, as text for people." }),
    transport: Type.Union([Type.Literal("rabbitmq"), Type.Literal("embedded")], { description: "How events reach consumers." }),
    broker: Type.Unsafe<RelayStatus["broker"]>(
      Type.Union(
        brokerStates.map((state) => Type.Literal(state)),
        { description: "off: the service runs without RabbitMQ." },
      ),
    ),
    node: Type.Union([Type.String(), Type.Null()], {
      description: "Host and port of the RabbitMQ node that this process is connected to. null: none.",
    }),
    relay: Type.Boolean({ description: "Whether this process sends the events to RabbitMQ. Of several processes, one does." }),
    events: Type.Integer({ description: "Position of the newest event in the log." }),
    confirmed: Type.Integer({ description: "Position up to which RabbitMQ has confirmed every event." }),
    backlog: Type.Union(
      [
        Type.Object({
          events: Type.Integer({ description: "Number of events that RabbitMQ has not confirmed yet." }),
          ageSeconds: Type.Number({ description: "Age of the oldest unconfirmed event; 0 if there is none." }),
        }),
        Type.Null(),
      ],
      { description: "null: the service runs without RabbitMQ." },
    ),
    timers: Type.Object(
      {
        lateSeconds: Type.Number({ description: "For how long the first one has been due; 0 if none is due." }),
        problems: Type.Integer({ description: "Number of those that cannot be published, counted up to 10,000." }),
      },
      { description: "The events to publish later." },
    ),
    schedules: Type.Object(
      { stopped: Type.Integer({ description: "Number of those that no consumer has announced for 7 days." }) },
      { description: "The schedules of consumers." },
    ),
  },
  {
    examples: [
      {
        status: "ready",
        problems: [],
        transport: "rabbitmq",
        broker: "connected",
        node: "localhost:5672",
        relay: true,
        events: 42,
        confirmed: 42,
        backlog: { events: 0, ageSeconds: 0 },
        timers: { lateSeconds: 0, problems: 0 },
        schedules: { stopped: 0 },
      },
    ],
  },
);

export default defineRoute(({ system, relay }) =>
  new Elysia()
    .get("/live", () => ({ status: "live" as const }), {
      response: { 200: Type.Object({ status: Type.Literal("live") }, { examples: [{ status: "live" }] }) },
      detail: {
        tags,
        summary: "Liveness check",
        description: "Reports whether the process responds. Does not check the store or RabbitMQ.",
      },
    })
    .get(
      "/ready",
      async () => {
        await system.check().catch((error: unknown) => {
          if (error instanceof StoreReplaced) throw new HttpProblem(503, "The database was removed or replaced; restart the API.");
          throw error instanceof StoreUnavailable || isRemoved(error) ? new HttpProblem(503, "Cannot write to the store.") : error;
        });
        const { transport, broker, node, isRunning, position, problems: found } = await relay();
        const expected = transport === "rabbitmq";
        const backlog = expected ? await backlogOf(system.log, position) : null;
        const { lateSeconds, problems: hindered } = await timerState(system.timers);
        const stopped = (await system.schedules.list()).filter((schedule) => isAbandoned(schedule, now()));
        const problems = [
          expected ? whyUnavailable({ state: broker }) : undefined,
          backlog && backlog.ageSeconds > oldBacklogSeconds
            ? `RabbitMQ has not confirmed an event that is ${Math.round(backlog.ageSeconds)} s old.`
            : undefined,
          ...(expected ? found : []),
          lateSeconds > mostLateSeconds ? `An event to publish later has been due for ${Math.round(lateSeconds)} s.` : undefined,
          hindered > 0 ? `${hindered} ${hindered === 1 ? "event" : "events"} to publish later cannot be published.` : undefined,
          ...stopped.map(({ queue }) => `The schedule of "${queue}" has stopped: no consumer has announced it for 7 days.`),
          ...(await system.problems()),
        ].filter((problem) => problem !== undefined);
        return {
          status: problems.length === 0 ? ("ready" as const) : ("degraded" as const),
          problems,
          transport,
          broker,
          node,
          relay: isRunning,
          events: await system.log.end(),
          confirmed: position,
          backlog,
          timers: { lateSeconds, problems: hindered },
          schedules: { stopped: stopped.length },
        };
      },
      {
        response: { 200: Readiness, ...problems(503) },
        detail: {
          tags,
          summary: "Readiness check",
          description:
            "Reports whether the service can handle requests. 503 means that it cannot write to the store. Without RabbitMQ, the service is still ready.",
        },
      },
    ),
);
