// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import route0 from "../routes/health";
import route1 from "../routes/items";
import type { Dependencies } from "./route";
import type { LoadedRoute } from "./router";

export const routes: readonly LoadedRoute[] = [
  { file: "health.ts", path: "/health", route: route0 },
  { file: "items.ts", path: "/items", route: route1 },
];

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/health" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/items" }).use(route1(dependencies)));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000")`. */
export type App = ReturnType<typeof typed>;
