import { Elysia } from "elysia";
import { HttpProblem } from "./problem";
import { everyKind } from "./problem-kinds";

/** Serves a page for each kind of problem. The `type` of a problem is the path of its page. */
export function problemPages() {
  const pages = new Map(everyKind.map((kind) => [kind.name, pageOf(kind)]));
  return new Elysia({ name: "problem-pages" }).get(
    "/problems/:kind",
    ({ params }) => {
      const page = pages.get(params.kind);
      if (page === undefined) throw new HttpProblem(404, `Unknown problem type. Known types: ${[...pages.keys()].join(", ")}.`);
      return new Response(page, { headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "max-age=3600" } });
    },
    { detail: { hide: true } },
  );
}

function pageOf({ status, title, meaning }: (typeof everyKind)[number]): string {
  return `${status} ${title}\n\n${meaning}\n`;
}
