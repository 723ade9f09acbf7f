import type { Config } from "../config/config";
import type { Resource } from "../schema/resource";
import { fileOfApi, isServed, openStore } from "../store/open";
import { ChangesLink } from "./link";
import { SocketDoor } from "./socket-door";

/** Takes things out of the service from a process that is not the API. */
export interface OperatorChanges {
  /** Resolves with false if there was none. */
  cancelTimer(number: number): Promise<boolean>;
  /** Resolves with false if there was none. */
  removeSchedule(queue: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the way to such changes: through the API if it owns the database and runs, otherwise in the database.
 *
 * @throws {Error} if the database cannot be opened.
 */
export async function operatorChanges(config: Pick<Config, "database">, resources: readonly Resource[]): Promise<OperatorChanges> {
  const file = fileOfApi(config);
  if (file !== undefined && (await isServed(config))) {
    const link = new ChangesLink(new SocketDoor(file));
    return {
      cancelTimer: (number) => link.cancelTimer(number),
      removeSchedule: (queue) => link.removeSchedule(queue),
      close: async () => {},
    };
  }
  const store = await openStore(config, resources, { isGuest: true });
  return { cancelTimer: store.timers.cancel, removeSchedule: store.schedules.remove, close: () => store.close() };
}
