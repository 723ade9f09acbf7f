import { type TSchema, Type } from "@sinclair/typebox";
import { UtcTime } from "../schema/time";
import type { History } from "../status/history";
import type { Latency } from "../status/latency";
import type { Status } from "../status/status";
import { ASchedule, scheduleExample } from "./schedule-schemas";

const nullable = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const rate = (description: string) => Type.Number({ description: `${description}, per second.` });

/** Schema of a latency. */
export const ALatency = (description: string) =>
  Type.Unsafe<Latency | null>(
    nullable(
      Type.Object({
        p50: Type.Number({ description: "Seconds that half of all took at most." }),
        p99: Type.Number({ description: "Seconds that 99 of 100 took at most." }),
        count: Type.Integer(),
      }),
      description,
    ),
  );

const AQueue = Type.Object({
  queue: Type.String(),
  kind: Type.Union([Type.Literal("shared"), Type.Literal("own")], {
    description: "shared: the queue of a resource. own: a consumer's own queue.",
  }),
  messages: nullable(Type.Integer(), "Events that wait to be handled. null: its consumer has not read this log yet."),
  consumers: count("Running consumers."),
  retries: count("Failed events that wait for their next attempt."),
  deadLetters: count("Dead letters."),
  oldestSeconds: nullable(Type.Number(), "How long an event has waited, at most. null: none waits, or only RabbitMQ knows."),
  perSecond: rate("Growth of the queue; negative if it shrinks"),
});

const aHere = Type.Object(
  {
    host: Type.String(),
    pid: Type.Integer(),
    startedAt: UtcTime("When it started."),
    version: Type.String({ description: "Version of the project." }),
    memoryBytes: count("Memory of the process."),
    databaseBytes: nullable(Type.Integer(), "Size of the SQLite database. null on PostgreSQL."),
  },
  { description: "The process that responds." },
);

/** An example, which is also that of the stream. */
export const statusExample: Status = {
  at: "2026-02-18T18:23:45.123Z",
  transport: { name: "embedded", reason: "RABBITMQ_URL is none" },
  broker: null,
  api: { running: true, processes: null },
  database: "data/warren.db",
  log: { events: 42, perSecond: 1.5 },
  relay: null,
  timers: { waiting: 12, problems: 0, nextAt: "2026-02-18T18:53:45.123Z", lateSeconds: 0 },
  schedules: [scheduleExample],
  quarantine: [],
  queues: [
    {
      ...{ queue: "stock", messages: 3, consumers: 1, retries: 0, deadLetters: 2, kind: "own", oldestSeconds: 0.4, perSecond: -2 },
    },
  ],
  dangers: [],
  conversions: [],
  relayTrouble: null,
  refusals: [],
  needs: [
    {
      ...{ kind: "dead-letters", queue: "stock", what: '"stock" has 2 dead letters.' },
      todo: "`bun run dead-letters list stock` shows why. Fix the cause and redrive them, or discard them.",
    },
  ],
  flow: { committed: 1.5, confirmed: null, handled: 3.5, failed: 0 },
  latency: {
    request: { p50: 0.0018, p99: 0.0042, count: 90 },
    commit: { p50: 0.0009, p99: 0.0021, count: 88 },
    ...{ confirm: null, delay: null, handler: null },
  },
  here: {
    ...{ host: "api-1", pid: 12, startedAt: "2026-02-18T08:00:00.000Z", version: "1.0.0" },
    ...{ memoryBytes: 90_000_000, databaseBytes: 1_200_000 },
  },
};

export const AStatus = Type.Unsafe<Status>(
  Type.Object(
    {
      at: UtcTime("When it was looked at."),
      transport: Type.Object({ name: Type.String(), reason: Type.String() }, { description: "How events reach consumers, and why so." }),
      broker: nullable(
        Type.Object({
          url: Type.String({ description: "Address without user and password." }),
          node: nullable(Type.String(), "Host and port of the node. null: none."),
          state: Type.String(),
          error: nullable(Type.String(), "Why it cannot be reached."),
        }),
        "The connection of the process that responds to RabbitMQ. null without RabbitMQ.",
      ),
      api: Type.Object({
        running: Type.Boolean(),
        processes: nullable(
          Type.Array(
            Type.Object({
              host: Type.String(),
              pid: Type.Integer(),
              leads: Type.Array(Type.String(), { description: "What it does for all, such as `relay`." }),
            }),
          ),
          "The processes that serve the API. null: there can be only one.",
        ),
      }),
      database: Type.String({ description: "Address of the database, without user and password." }),
      log: nullable(Type.Object({ events: count("Position of the newest event."), perSecond: rate("Events committed") }), "The event log."),
      relay: nullable(
        Type.Object({
          confirmed: count("Position up to which RabbitMQ has confirmed every event."),
          events: count("Events that RabbitMQ has not confirmed."),
          ageSeconds: Type.Number({ description: "Age of the oldest of these; 0 if there is none." }),
          perSecond: rate("Events confirmed"),
        }),
        "How far RabbitMQ is. null without RabbitMQ.",
      ),
      timers: nullable(
        Type.Object({
          waiting: count("Number of those that wait, counted up to a limit."),
          problems: count("Number of those that cannot be published."),
          nextAt: nullable(UtcTime("When the next one is due."), "When the next one is due. null: none waits."),
          lateSeconds: Type.Number({ description: "How long the next one has been due; 0 if it is not." }),
        }),
        "Events to publish later.",
      ),
      schedules: Type.Array(ASchedule, { description: "When consumers with a schedule are called." }),
      queues: nullable(Type.Array(AQueue), "The queues. null: RabbitMQ cannot be asked."),
      quarantine: Type.Array(Type.Unknown(), {
        description: "Messages that no queue accepts, in files on the machine of the process that responds.",
      }),
      dangers: Type.Array(Type.Unknown(), { description: "Ways in which RabbitMQ could drop events, because of how a queue was set up." }),
      conversions: Type.Array(Type.Unknown(), { description: "Queues whose conversion to quorum queues is unfinished." }),
      relayTrouble: nullable(Type.Unknown(), "Why events do not reach RabbitMQ although it is connected."),
      refusals: Type.Array(Type.Unknown(), { description: "Announcements of consumers that were refused within a day." }),
      needs: Type.Array(
        Type.Object({
          kind: Type.String(),
          queue: nullable(Type.String(), "null: it concerns no queue."),
          what: Type.String({ description: "The problem, in a sentence." }),
          todo: Type.String({ description: "What would mend it." }),
        }),
        { description: "What needs a person." },
      ),
      flow: Type.Object(
        {
          committed: rate("Events committed"),
          confirmed: nullable(Type.Number(), "Events that RabbitMQ has confirmed, per second. null without RabbitMQ."),
          handled: nullable(Type.Number(), "Events handled by all consumers, per second. null: none has reported."),
          failed: nullable(Type.Number(), "Failed attempts of all consumers, per second. null: none has reported."),
        },
        { description: "Rates of all processes." },
      ),
      latency: Type.Object(
        {
          request: ALatency("From the arrival of a request that changes something to its response, in the process that responds."),
          commit: ALatency("A commit with its changes, in the process that responds."),
          confirm: ALatency(
            "From the change until RabbitMQ confirmed its event, in the process that responds: null if another one relays.",
          ),
          delay: ALatency("From the change until its event was handled, in all consumers."),
          handler: ALatency("The handler, in all consumers."),
        },
        {
          description:
            "Latencies of the last minute, as far as somebody has looked for so long; else since the start. null: nothing was measured.",
        },
      ),
      here: aHere,
    },
    { title: "Status", examples: [statusExample] },
  ),
);

const rates = (description: string) =>
  Type.Array(Type.Union([Type.Number(), Type.Null()]), { description: `${description}, per second, in each step.` });

export const AHistory = Type.Unsafe<History>(
  Type.Object(
    {
      from: UtcTime("Start of the first step."),
      to: UtcTime("End of the last step."),
      stepSeconds: Type.Integer({ description: "Length of a step." }),
      committed: rates("Events committed"),
      confirmed: rates("Events that RabbitMQ has confirmed"),
      handled: rates("Events handled"),
      failed: rates("Failed attempts"),
      queues: Type.Array(
        Type.Object({
          queue: Type.String(),
          waiting: Type.Array(Type.Union([Type.Number(), Type.Null()]), { description: "Events that waited at the end of each step." }),
        }),
        { description: "The first 50 queues that were seen." },
      ),
    },
    {
      title: "StatusHistory",
      examples: [
        {
          ...{ from: "2026-02-18T18:08:45.000Z", to: "2026-02-18T18:23:45.000Z", stepSeconds: 3 },
          ...{ committed: [null, 1.5], confirmed: [null, null], handled: [null, 3], failed: [null, 0] },
          queues: [{ queue: "stock", waiting: [null, 3] }],
        },
      ],
    },
  ),
);
