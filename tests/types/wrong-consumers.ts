// Consumers in a list, in a project with several resources, that must not compile. The comment before each says what the compiler has to
// say of the next line.
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { testService } from "warren/testing";

const desk = defineResource({ name: "desk", fields: { legs: Type.Integer() }, example: { legs: 4 } });
const lamp = defineResource({ name: "lamp", fields: { watts: Type.Integer() }, example: { watts: 4 } });

declare global {
  interface WarrenResources {
    desk: typeof desk;
    lamp: typeof lamp;
  }
}

export const fine = testService({
  consumers: [
    { queue: "a", events: ["desk.created"], handle: ({ desk }) => desk.legs },
    { queue: "b", events: ["lamp.*"], handleBatch: (events) => events.map(({ lamp }) => lamp.watts) },
    { queue: "c", handle: ({ type }) => type },
    { queue: "d", events: ["lamp.created"], exactlyOnce: true, handle: ({ lamp }, { tx }) => tx.run("SELECT ?", lamp.watts) },
    { queue: "e", schedule: "@daily", handle: ({ schedule }) => schedule.dueAt },
  ],
});
export const none = testService({ consumers: [] });

export const wrong = testService({
  consumers: [
    // says: Property 'lamp' does not exist on type
    { queue: "a", events: ["desk.created"], handle: ({ lamp }) => lamp },
    // says: Property 'desk' does not exist on type
    { queue: "b", handle: ({ desk }) => desk },
    // says: Type 'string' is not assignable to type 'never'.
    { queue: "c", events: ["lamp.crated"], handle: ({ type }) => type },
  ],
});
