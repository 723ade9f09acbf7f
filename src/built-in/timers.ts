import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { absentTimer, placeIn, shownTimer, type TimerPage, timerPage } from "../delivery/shown-timers";
import { HttpProblem, problems } from "../http/problem";
import { flag, greatestId, integer, limit, type Parameter, querySchema, readQuery, text } from "../http/query";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import type { Timer } from "../store/timers";
import { operatorsOnly } from "./operators";

const tags = ["timers"];

const place: Parameter<NonNullable<ReturnType<typeof placeIn>>> = {
  description: "The `next` of the previous page.",
  documented: { type: "string" },
  read: placeIn,
};

const listParameters = {
  limit,
  after: place,
  resource: text(200, "Only events of this resource: its name, such as `order`."),
  id: integer(1, greatestId, "Only events of the record with this id, an integer from 1."),
  key: text(200, "Only the timer with this key."),
  problem: flag("`true`: only those that cannot be published."),
};

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const fields = {
  number: Type.Integer({ minimum: 1, description: "Identifies the timer." }),
  type: Type.String({ description: "Type of the event to publish." }),
  id: Type.Integer({ minimum: 1, description: "The id of the record that the event is about." }),
  dueAt: UtcTime("When it is due."),
  key: nullable("The key by which a change cancels or replaces it."),
  data: Type.Unknown({ description: "The data of the event." }),
  actor: nullable("Who set it."),
  cause: nullable("The id of the event whose handler set it."),
  problem: nullable("Why it cannot be published. Null if nothing hinders it."),
};
const example = {
  ...{ number: 12, type: "order.expired", id: 7, dueAt: "2026-02-18T18:53:45.123Z", key: "expire:7", data: {} },
  ...{ actor: "consumer:reserve-stock", cause: "0198c0de-0000-7000-8000-000000000001", problem: null },
};
const TimerSchema = Type.Object(fields, { examples: [example] });
const next = Type.Union([Type.String(), Type.Null()], { description: "Pass it as `after` to get the next page; null on the last page." });
const TimerPageSchema = Type.Object({ timers: Type.Array(Type.Object(fields)), next }, { examples: [{ timers: [example], next: null }] });
const params = Type.Object({ number: Type.String({ pattern: "^[1-9][0-9]{0,15}$", description: "Number of the timer." }) });

type ListQuery = { limit?: number | string; after?: string; resource?: string; id?: number | string; key?: string; problem?: boolean };

export default defineRoute(({ system: { timers }, catalogue }) =>
  new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue))
    .get(
      "",
      ({ request }): Promise<TimerPage> => {
        const { limit = 50, id: subject, problem: isHindered, ...query } = readQuery(request.url, listParameters);
        return timerPage(timers, { ...query, subject, isHindered, limit });
      },
      {
        query: querySchema<ListQuery>(listParameters),
        response: {
          200: TimerPageSchema,
          ...problems(422, 503),
        },
        detail: { tags, summary: "List events to publish later", description: "Returns those that are due first, first." },
      },
    )
    .get("/:number", async ({ params: { number } }) => shownTimer(existing(number, await timers.get(Number(number)))), {
      params,
      response: { 200: TimerSchema, ...problems(404, 422, 503) },
      detail: { tags, summary: "Show an event to publish later" },
    })
    .delete(
      "/:number",
      async ({ params: { number } }) => {
        const timer = existing(number, await timers.get(Number(number)));
        if (!(await timers.cancel(timer.number))) throw absent(number);
        return shownTimer(timer);
      },
      {
        params,
        response: { 200: TimerSchema, ...problems(404, 422, 503) },
        detail: { tags, summary: "Cancel an event to publish later", description: "Returns what was cancelled." },
      },
    ),
);

function existing(number: string, timer: Timer | undefined): Timer {
  if (!timer) throw absent(number);
  return timer;
}

function absent(number: string): HttpProblem {
  return new HttpProblem(404, absentTimer(number));
}
