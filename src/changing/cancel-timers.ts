import type { Config } from "../config/config";
import type { Resource } from "../schema/resource";
import { fileOfApi, isServed, openStore } from "../store/open";
import { ChangesLink } from "./link";
import { SocketDoor } from "./socket-door";

/** Cancels timers from a process that is not the API. */
export interface TimerCanceller {
  /** Resolves with false if there was none. */
  cancel(number: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the way to cancel timers: through the API if it owns the database and runs, otherwise in the database.
 *
 * @throws {Error} if the database cannot be opened.
 */
export async function timerCanceller(config: Pick<Config, "database">, resources: readonly Resource[]): Promise<TimerCanceller> {
  const file = fileOfApi(config);
  if (file !== undefined && (await isServed(config))) {
    const link = new ChangesLink(new SocketDoor(file));
    return { cancel: (number) => link.cancelTimer(number), close: async () => {} };
  }
  const store = await openStore(config, resources);
  return { cancel: (number) => store.timers.cancel(number), close: () => store.close() };
}
