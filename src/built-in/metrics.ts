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
        summary: "Metrics for Prometheus",
        description: "Returns the metrics of this process in the Prometheus text format, version 0.0.4.",
      },
    },
  ),
);
