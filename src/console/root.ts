import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Config } from "../config/config";
import { jsonResponse } from "../http/answer-headers";
import { aboutProject } from "../project/about";
import type { Catalogue } from "../schema/catalogue";

const Links = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    links: Type.Record(Type.String(), Type.String(), { description: "Paths relative to this one, by what they are." }),
  },
  { examples: [{ name: "Warren", version: "1.0.0", links: { items: "items", events: "events", openapi: "swagger/json" } }] },
);

/** Serves `/`: browsers go to the console, and scripts get links. */
export function rootRoute({ console: mode }: Pick<Config, "console">, { resources }: Catalogue) {
  return new Elysia({ name: "root" }).get(
    "/",
    ({ request }) => {
      const vary = { vary: "Accept" };
      if (mode !== "off" && prefersHtml(request.headers.get("accept"))) {
        return new Response(null, { status: 302, headers: { location: "console/", ...vary } }) as never;
      }
      const { title, version } = aboutProject();
      const shown = resources.filter(({ isRetired }) => !isRetired).map(({ plural }) => [plural, plural]);
      const links = {
        ...Object.fromEntries(shown),
        events: "events",
        health: "health/ready",
        openapi: "swagger/json",
        asyncapi: "asyncapi.json",
        ...(mode !== "off" && { console: "console/" }),
      };
      return jsonResponse(JSON.stringify({ name: title, version, links }), 200, vary) as never;
    },
    {
      response: { 200: Links },
      detail: {
        tags: ["status"],
        summary: "Links to the parts of the service",
        description: "Sends browsers to the console at `/console/`. Needs no token.",
        security: [],
      },
    },
  );
}

/** Returns whether a client names HTML in its Accept header, as browsers do for a page. */
function prefersHtml(accept: string | null): boolean {
  return accept !== null && /\btext\/html\b/.test(accept);
}
