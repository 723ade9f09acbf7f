import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { defineRoute } from "../src/route";

export default defineRoute(({ metrics }) =>
  new Elysia().get(
    "",
    async () => new Response(await metrics.render(), { headers: { "content-type": metrics.contentType } }) as unknown as string,
    {
      response: { 200: Type.String({ examples: ['warren_events_appended_total{type="item.created"} 42\n'] }) },
      detail: {
        tags: ["metrics"],
        summary: "What this process tells Prometheus",
        description: "In the text format of Prometheus, version 0.0.4.",
      },
    },
  ),
);
