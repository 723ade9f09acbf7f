import type { Log } from "../observe/logging";
import type { Store } from "./store";

const lookEveryMs = 1000;

/** Checks every second and logs an error when the database is removed or replaced. Returns a function that stops the checks. */
export function warnOfReplaced(store: Pick<Store, "isReplaced">, database: string, log: Log): () => void {
  let wasReplaced = false;
  const timer = setInterval(() => {
    const isReplaced = store.isReplaced();
    if (isReplaced === wasReplaced) return;
    wasReplaced = isReplaced;
    if (isReplaced) log.error({ database }, "The database was removed or replaced; refusing changes until the API is restarted");
    else log.info({ database }, "The database is back in its place");
  }, lookEveryMs);
  return () => clearInterval(timer);
}
