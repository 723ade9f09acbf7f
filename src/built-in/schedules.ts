import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { type ShownSchedule, shownSchedule } from "../store/schedule-times";
import type { Schedule } from "../store/schedules";
import { now } from "../timing/clock";
import { operatorsOnly } from "./operators";
import { AnExampleSchedule, ASchedule, scheduleExample } from "./schedule-schemas";

const tags = ["schedules"];

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
        200: Type.Object({ schedules: Type.Array(ASchedule) }, { examples: [{ schedules: [scheduleExample] }] }),
        ...problems(503),
      },
      detail: { tags, summary: "List the schedules of consumers" },
    })
    .get("/:name", ({ params: { name } }) => existing(name), {
      params,
      response: { 200: AnExampleSchedule, ...problems(404, 422, 503) },
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
        response: { 200: AnExampleSchedule, ...problems(404, 422, 503) },
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
