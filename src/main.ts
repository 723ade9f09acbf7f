import { startApi } from "./app/serve";

await startApi();
