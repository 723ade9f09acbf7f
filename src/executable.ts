// The entrypoint of `bun run build`: an executable has no routes/ folder to look into, so it carries the generated list.
import { routes } from "./routes.generated";
import { startApi } from "./app/serve";

await startApi(async () => routes);
