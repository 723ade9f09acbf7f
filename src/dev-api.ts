// The API as `bun run dev` runs it, for a person who is in the middle of a change: what can be mended later is a warning.
import { loadProject } from "./app/project";
import { startApi } from "./app/serve";

await startApi(loadProject, { onInvalidRecords: "warn" });
