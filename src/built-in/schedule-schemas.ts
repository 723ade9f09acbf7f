import { Type } from "@sinclair/typebox";
import { UtcTime } from "../schema/time";
import { type ShownSchedule, scheduleStates } from "../store/schedule-times";

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
export const scheduleExample: ShownSchedule = {
  ...{ id: 1, name: "daily-sales", schedule: "0 9 * * 1-5", timeZone: "Europe/London", missed: "once", overlap: false, state: "waiting" },
  ...{ nextAt: "2026-02-19T09:00:00.000Z", lastAt: "2026-02-18T09:00:00.000Z", lastEvent: "0198c0de-0000-7000-8000-000000000001" },
  announcedAt: "2026-02-18T06:12:45.123Z",
};
export const ASchedule = Type.Object(fields);
/** The same, with an example of its own. */
export const AnExampleSchedule = Type.Object(fields, { examples: [scheduleExample] });
