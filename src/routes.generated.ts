// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import route0 from "./app/routes/dead-letters";
import route1 from "./app/routes/events";
import route2 from "./app/routes/events/[id]/timeline";
import route3 from "./app/routes/health";
import route4 from "../routes/items";
import route5 from "./app/routes/metrics";
import route6 from "./app/routes/replays";
import type { Dependencies } from "./routing/route";
import type { LoadedRoute } from "./routing/router";

export const routes: readonly LoadedRoute[] = [
  { file: "dead-letters.ts", path: "/dead-letters", route: route0 },
  { file: "events.ts", path: "/events", route: route1 },
  { file: "events/[id]/timeline.ts", path: "/events/:id/timeline", route: route2 },
  { file: "health.ts", path: "/health", route: route3 },
  { file: "items.ts", path: "/items", route: route4 },
  { file: "metrics.ts", path: "/metrics", route: route5 },
  { file: "replays.ts", path: "/replays", route: route6 },
];

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/dead-letters" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/events" }).use(route1(dependencies)))
    .use(new Elysia({ prefix: "/events/:id/timeline" }).use(route2(dependencies)))
    .use(new Elysia({ prefix: "/health" }).use(route3(dependencies)))
    .use(new Elysia({ prefix: "/items" }).use(route4(dependencies)))
    .use(new Elysia({ prefix: "/metrics" }).use(route5(dependencies)))
    .use(new Elysia({ prefix: "/replays" }).use(route6(dependencies)));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000")`. */
export type App = ReturnType<typeof typed>;
