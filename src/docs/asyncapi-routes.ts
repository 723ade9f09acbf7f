import { Elysia } from "elysia";
import type { Config } from "../config/config";
import { HttpProblem } from "../http/problem";
import type { Catalogue } from "../schema/catalogue";
import { asyncApiDocument } from "./asyncapi";
import type { FoundConsumer } from "./find-consumers";
import { document } from "./page-answers";

/** Serves the AsyncAPI document of all events at `/asyncapi.json`. `/asyncapi` leads to the page of the console that shows it. */
export function eventDocs({ console: mode }: Pick<Config, "console">, catalogue: Catalogue, consumers: readonly FoundConsumer[]) {
  const hidden = { detail: { hide: true } };
  return new Elysia({ name: "asyncapi" })
    .get(
      "/asyncapi.json",
      document(() => asyncApiDocument(catalogue, consumers)),
      hidden,
    )
    .get(
      "/asyncapi",
      ({ request }) => {
        if (mode === "off") throw new HttpProblem(404, "The console is off, which shows the events. The document is at /asyncapi.json.");
        const up = new URL(request.url).pathname.endsWith("/") ? "../" : "";
        return new Response(null, { status: 302, headers: { location: `${up}console/#/contracts` } });
      },
      hidden,
    );
}
