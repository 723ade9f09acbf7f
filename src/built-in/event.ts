import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { actorOf } from "../http/actor";
import { jsonResponse } from "../http/answer-headers";
import { HttpProblem, problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { isVisible } from "../store/visible-history";
import { AnEntry, eventExample } from "./event-schemas";

/** One event of the log. */
export default defineRoute(({ system, catalogue }) =>
  new Elysia().get(
    "",
    async ({ params: { id }, request }) => {
      const found = await system.find(id);
      if (!found || !isVisible(catalogue.resources, found, actorOf(request)))
        throw new HttpProblem(404, "No event with this id is in the log. Events older than EVENT_RETENTION are removed.");
      return jsonResponse(`{"position":${found.position},"event":${found.body}}`, 200) as never;
    },
    {
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200, description: "Id of the event." }) }),
      response: {
        200: Type.Object(AnEntry.properties, { title: "EventEntry", examples: [{ position: 1, event: eventExample }] }),
        ...problems(404, 422, 503),
      },
      detail: {
        tags: ["events"],
        summary: "Read an event",
        description: "Returns the event as consumers receive it, and its position in the log.",
      },
    },
  ),
);
