import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { compressible } from "../http/compression";
import { defineRoute } from "../routing/route";

export default defineRoute(({ metrics }) =>
  new Elysia().get(
    "",
    async () => {
      const text = await metrics.render();
      return compressible(new Response(text, { headers: { "content-type": metrics.contentType } }), text) as unknown as string;
    },
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
