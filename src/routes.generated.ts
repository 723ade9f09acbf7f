// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import route0 from "../routes/dead-letters";
import route1 from "../routes/health";
import route2 from "../routes/items";
import route3 from "../routes/metrics";
import route4 from "../routes/replays";
import type { Dependencies } from "./route";
import type { LoadedRoute } from "./router";

export const routes: readonly LoadedRoute[] = [
  { file: "dead-letters.ts", path: "/dead-letters", route: route0 },
  { file: "health.ts", path: "/health", route: route1 },
  { file: "items.ts", path: "/items", route: route2 },
  { file: "metrics.ts", path: "/metrics", route: route3 },
  { file: "replays.ts", path: "/replays", route: route4 },
];

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/dead-letters" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/health" }).use(route1(dependencies)))
    .use(new Elysia({ prefix: "/items" }).use(route2(dependencies)))
    .use(new Elysia({ prefix: "/metrics" }).use(route3(dependencies)))
    .use(new Elysia({ prefix: "/replays" }).use(route4(dependencies)));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000")`. */
export type App = ReturnType<typeof typed>;
