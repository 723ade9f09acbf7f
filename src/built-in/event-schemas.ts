import { Type } from "@sinclair/typebox";
import type { Event } from "../schema/event";
import { UtcTime } from "../schema/time";

/** An example of an event. */
export const eventExample = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "item.created",
  version: 1,
  item: { id: 1, name: "Sample Item", description: null, price: 9.99, version: 1, createdAt: "2026-02-18T18:23:45.123Z" },
  timestamp: "2026-02-18T18:23:45.123Z",
};
/** An event as consumers receive it. */
export const AnEvent = Type.Unsafe<Event & Record<string, unknown>>(
  Type.Object(
    {
      id: Type.String({ description: "Unique id, a UUIDv7." }),
      type: Type.String(),
      version: Type.Integer({ minimum: 1, description: "Schema version of the event type." }),
      timestamp: UtcTime("Time of the change."),
      actor: Type.Optional(
        Type.String({ description: "Who made the change. Missing if that was the service itself, or if the API has no tokens." }),
      ),
      cause: Type.Optional(Type.String({ description: "Id of the event whose handler made the change. Missing if no handler did." })),
      depth: Type.Optional(
        Type.Integer({ minimum: 1, description: "Number of events that led to this one, each caused by the one before." }),
      ),
    },
    {
      additionalProperties: true,
      description: "The event as consumers receive it. The record is in the property named after its resource.",
    },
  ),
);

/** An event and its place in the log. */
export const AnEntry = Type.Object({ position: Type.Integer({ minimum: 1, description: "Position in the event log." }), event: AnEvent });
