// The type of the events of schedules. They are events of the log, but of no resource: each goes to the queue of its schedule only.
import { Type } from "@sinclair/typebox";
import { defineResource } from "./define-resource";
import type { EventType } from "./event-type";
import { UtcTime } from "./time";

/** Type of the events of schedules. */
export const tickType = "schedule.due";

const name = Type.String({ minLength: 1, description: "Name of the schedule: that of its consumer's queue." });
const dueAt = UtcTime("The time that has come. The event itself may be later, if nothing ran then.");
const example = { name: "daily-sales", dueAt: "2026-02-18T09:00:00.000Z" };
/** Example of what such an event says. */
export const tickExample = { id: 1, ...example };

/** Stands for the resource of these events. No service has it. */
export const scheduleResource = defineResource({
  name: "schedule",
  fields: { name, dueAt: Type.String({ format: "date-time" }) },
  example,
});

const record = Type.Object({ id: Type.Integer({ minimum: 1 }), name, dueAt }, { additionalProperties: true, examples: [tickExample] });

/** The type with its version. */
export const tickEventType: EventType = {
  type: tickType,
  name: "due",
  resource: scheduleResource,
  shapes: [{ version: 1, record, data: undefined }],
  steps: [],
};
