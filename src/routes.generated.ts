// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import { builtInRoutes } from "warren/built-in";
import type { Dependencies } from "warren/route";
import type {} from "./resources.generated";
import route0 from "../routes/items";

export const routes = [
  { file: "items.ts", path: "/items", route: route0 },
];

const part0 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/items" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/changes" }).use(builtInRoutes["/changes"](dependencies)))
    .use(new Elysia({ prefix: "/catalogue" }).use(builtInRoutes["/catalogue"](dependencies)))
    .use(new Elysia({ prefix: "/consumers" }).use(builtInRoutes["/consumers"](dependencies)))
    .use(new Elysia({ prefix: "/dead-letter-jobs" }).use(builtInRoutes["/dead-letter-jobs"](dependencies)))
    .use(new Elysia({ prefix: "/dead-letters" }).use(builtInRoutes["/dead-letters"](dependencies)))
    .use(new Elysia({ prefix: "/events" }).use(builtInRoutes["/events"](dependencies)))
    .use(new Elysia({ prefix: "/events/:id" }).use(builtInRoutes["/events/:id"](dependencies)));

const part1 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/events/:id/timeline" }).use(builtInRoutes["/events/:id/timeline"](dependencies)))
    .use(new Elysia({ prefix: "/health" }).use(builtInRoutes["/health"](dependencies)))
    .use(new Elysia({ prefix: "/metrics" }).use(builtInRoutes["/metrics"](dependencies)))
    .use(new Elysia({ prefix: "/replays" }).use(builtInRoutes["/replays"](dependencies)))
    .use(new Elysia({ prefix: "/schedules" }).use(builtInRoutes["/schedules"](dependencies)))
    .use(new Elysia({ prefix: "/status" }).use(builtInRoutes["/status"](dependencies)))
    .use(new Elysia({ prefix: "/status/settings" }).use(builtInRoutes["/status/settings"](dependencies)))
    .use(new Elysia({ prefix: "/status/webhooks" }).use(builtInRoutes["/status/webhooks"](dependencies)));

const part2 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/timers" }).use(builtInRoutes["/timers"](dependencies)))
    .use(new Elysia({ prefix: "/topology" }).use(builtInRoutes["/topology"](dependencies)))
    .use(new Elysia({ prefix: "/whoami" }).use(builtInRoutes["/whoami"](dependencies)));

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(part0(dependencies))
    .use(part1(dependencies))
    .use(part2(dependencies));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000", { parseDate: false })`. */
export type App = ReturnType<typeof typed>;

declare global {
  interface WarrenRoutes {
    app: App;
  }
}
