import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { UtcTime } from "../schema/time";
import { type ShownSchedule, scheduleStates, shownSchedule } from "../store/schedule-times";
import type { Schedule } from "../store/schedules";
import { now } from "../timing/clock";
import { operatorsOnly } from "./operators";

const tags = ["schedules"];

const fields = {
  id: Type.Integer({ minimum: 1, description: "Identifies the schedule." }),
  name: Type.String({ description: "The queue of its consumer." }),
  schedule: Type.String({ description: "When, as a pattern of cron." }),
  timeZone: Type.String({ description: "Time zone of the pattern." }),
  missed: Type.Union([Type.Literal("once"), Type.Literal("skip")], {
    description: "Whether one event makes up for times that were missed.",
  }),
  overlap: Type.Boolean({ description: "Whether an event is published although the last one is not done." }),
  state: Type.Unsafe<ShownSchedule["state"]>(
    Type.Union(
      scheduleStates.map((state) => Type.Literal(state)),
      { description: "running: the last event is not done yet. stopped: no consumer has announced it for 7 days." },
    ),
  ),
  nextAt: Type.Union([UtcTime("The next time."), Type.Null()], { description: "The next time. Null if it has stopped." }),
  lastAt: Type.Union([UtcTime("The time of the last event."), Type.Null()], { description: "The time of the last event." }),
  lastEvent: Type.Union([Type.String(), Type.Null()], { description: "The id of the last event." }),
  announcedAt: UtcTime("When a consumer last announced it."),
};
const example: ShownSchedule = {
  ...{ id: 1, name: "daily-sales", schedule: "0 9 * * 1-5", timeZone: "Europe/London", missed: "once", overlap: false, state: "waiting" },
  ...{ nextAt: "2026-02-19T09:00:00.000Z", lastAt: "2026-02-18T09:00:00.000Z", lastEvent: "0198c0de-0000-7000-8000-000000000001" },
  announcedAt: "2026-02-18T06:12:45.123Z",
};
const ScheduleSchema = Type.Object(fields, { examples: [example] });
const params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 255, description: "The queue of its consumer." }) });

export default defineRoute(({ system: { schedules }, catalogue }) => {
  const existing = async (name: string) => {
    const schedule = await schedules.find(name);
    if (!schedule) throw absent(name);
    return shown(schedule);
  };
  return new Elysia()
    .onBeforeHandle(operatorsOnly(catalogue))
    .get("", async () => ({ schedules: (await schedules.list()).map(shown) }), {
      response: {
        200: Type.Object({ schedules: Type.Array(Type.Object(fields)) }, { examples: [{ schedules: [example] }] }),
        ...problems(503),
      },
      detail: { tags, summary: "List the schedules of consumers" },
    })
    .get("/:name", ({ params: { name } }) => existing(name), {
      params,
      response: { 200: ScheduleSchema, ...problems(404, 422, 503) },
      detail: { tags, summary: "Show the schedule of a consumer" },
    })
    .delete(
      "/:name",
      async ({ params: { name } }) => {
        const schedule = await existing(name);
        if (!(await schedules.remove(name))) throw absent(name);
        return schedule;
      },
      {
        params,
        response: { 200: ScheduleSchema, ...problems(404, 422, 503) },
        detail: {
          tags,
          summary: "Remove the schedule of a consumer",
          description:
            "For one whose consumer is gone, or whose last event was lost. A consumer that runs announces it again. Returns what was removed.",
        },
      },
    );
});

function shown(schedule: Schedule): ShownSchedule {
  return shownSchedule(schedule, now());
}

function absent(name: string): HttpProblem {
  return new HttpProblem(404, `There is no schedule "${name}". A consumer announces its schedule when it starts.`);
}
