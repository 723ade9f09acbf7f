import catalogue from "./catalogue";
import changes from "./changes";
import consumers from "./consumers";
import deadLetterJobs from "./dead-letter-jobs";
import deadLetters from "./dead-letters";
import event from "./event";
import events from "./events";
import health from "./health";
import metrics from "./metrics";
import replays from "./replays";
import schedules from "./schedules";
import settings from "./settings";
import status from "./status";
import timeline from "./timeline";
import timers from "./timers";
import topology from "./topology";
import webhooks from "./webhooks";
import whoami from "./whoami";

/** The routes that every service has, by path. A project's file in `routes/` replaces the built-in route at the same path. */
export const builtInRoutes = {
  "/changes": changes,
  "/catalogue": catalogue,
  "/consumers": consumers,
  "/dead-letter-jobs": deadLetterJobs,
  "/dead-letters": deadLetters,
  "/events": events,
  "/events/:id": event,
  "/events/:id/timeline": timeline,
  "/health": health,
  "/metrics": metrics,
  "/replays": replays,
  "/schedules": schedules,
  "/status": status,
  "/status/settings": settings,
  "/status/webhooks": webhooks,
  "/timers": timers,
  "/topology": topology,
  "/whoami": whoami,
};
