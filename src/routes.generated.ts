// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import route0 from "../routes/dead-letters";
import route1 from "../routes/events";
import route2 from "../routes/health";
import route3 from "../routes/items";
import route4 from "../routes/metrics";
import route5 from "../routes/replays";
import type { Dependencies } from "./route";
import type { LoadedRoute } from "./router";

export const routes: readonly LoadedRoute[] = [
  { file: "dead-letters.ts", path: "/dead-letters", route: route0 },
  { file: "events.ts", path: "/events", route: route1 },
  { file: "health.ts", path: "/health", route: route2 },
  { file: "items.ts", path: "/items", route: route3 },
  { file: "metrics.ts", path: "/metrics", route: route4 },
  { file: "replays.ts", path: "/replays", route: route5 },
];

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/dead-letters" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/events" }).use(route1(dependencies)))
    .use(new Elysia({ prefix: "/health" }).use(route2(dependencies)))
    .use(new Elysia({ prefix: "/items" }).use(route3(dependencies)))
    .use(new Elysia({ prefix: "/metrics" }).use(route4(dependencies)))
    .use(new Elysia({ prefix: "/replays" }).use(route5(dependencies)));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000")`. */
export type App = ReturnType<typeof typed>;
