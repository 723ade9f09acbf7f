import type { LoadedRoute } from "../routing/router";
import deadLetters from "./routes/dead-letters";
import events from "./routes/events";
import timeline from "./routes/events/[id]/timeline";
import health from "./routes/health";
import metrics from "./routes/metrics";
import replays from "./routes/replays";

/** The service's own routes by path. */
export const serviceRoutes = {
  "/dead-letters": deadLetters,
  "/events": events,
  "/events/:id/timeline": timeline,
  "/health": health,
  "/metrics": metrics,
  "/replays": replays,
};

/** Adds the service's own routes to those of a project. A file of the project at the same path takes the place of one. */
export function withServiceRoutes(routes: readonly LoadedRoute[]): LoadedRoute[] {
  const taken = new Set(routes.map(({ path }) => path));
  const own = Object.entries(serviceRoutes).filter(([path]) => !taken.has(path));
  return [...own.map(([path, route]) => ({ file: `(Warren's own) ${path}`, path, route })), ...routes];
}
