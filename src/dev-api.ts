// The API as `bun run dev` runs it during development: invalid records lead to a warning instead of an error.
import { loadProject } from "./app/project";
import { startApi } from "./app/serve";

await startApi(loadProject, { onInvalidRecords: "warn" });
