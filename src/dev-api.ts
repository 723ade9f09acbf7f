// The API as `bun run dev` runs it, for a person who is in the middle of a change: what can be mended later is a warning.
import { join } from "node:path";
import { loadRoutes } from "./router";
import { startApi } from "./start";

await startApi(() => loadRoutes(join(import.meta.dir, "../routes")), { onInvalidRecords: "warn" });
