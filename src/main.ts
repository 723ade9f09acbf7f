import { join } from "node:path";
import { loadRoutes } from "./routing/router";
import { startApi } from "./app/serve";

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000", { parseDate: false })`. */
export type { App } from "./routes.generated";

await startApi(() => loadRoutes(join(import.meta.dir, "../routes")));
