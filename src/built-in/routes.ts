import deadLetters from "./dead-letters";
import events from "./events";
import health from "./health";
import metrics from "./metrics";
import replays from "./replays";
import timeline from "./timeline";

/** The routes that every service has, by path. A file of a project in `routes/` at the same path takes the place of one. */
export const builtInRoutes = {
  "/dead-letters": deadLetters,
  "/events": events,
  "/events/:id/timeline": timeline,
  "/health": health,
  "/metrics": metrics,
  "/replays": replays,
};
