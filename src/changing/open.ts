import type { Config } from "../config/config";
import type { Resource } from "../schema/resource";
import { fileOfApi, openStore, placeOfAll } from "../store/open";
import type { Schedules } from "../store/schedules";
import type { Store } from "../store/store";
import type { TransactionEngine } from "../store/transaction/engine";
import { HttpDoor } from "./http-door";
import { ChangesLink, type Door } from "./link";
import { SocketDoor } from "./socket-door";

/** The way to change records from a process that is not the API. */
export interface Changing {
  readonly engine: TransactionEngine;
  /** Announces the schedule of a consumer. */
  readonly announce: Schedules["announce"];
  close(): Promise<void>;
}

/** Returns the way to the API that changes the records. Undefined if this process does. */
function doorTo(config: Pick<Config, "database" | "remoteApi">): Door | undefined {
  if (config.remoteApi) return new HttpDoor(config.remoteApi);
  const file = fileOfApi(config);
  return file === undefined ? undefined : new SocketDoor(file);
}

/** Returns the way to change the records of a database. It connects when it is first used. */
export function changingIn(config: Pick<Config, "database" | "remoteApi">, resources: readonly Resource[]): Changing {
  const door = doorTo(config);
  if (door) {
    const link = new ChangesLink(door);
    return { engine: link, announce: (schedule) => link.announce(schedule), close: async () => {} };
  }
  let opening: Promise<Store> | undefined;
  const store = async () => {
    opening ??= openStore(config, resources, { isGuest: true });
    try {
      return await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  const engine = async () => (await store()).changing;
  const place = placeOfAll(config);
  const endings = async () => {
    const { endings } = await engine();
    if (!endings) throw new Error(`${config.database.shown} cannot commit with the transactions of consumers.`);
    return endings;
  };
  return {
    announce: async (schedule) => (await store()).schedules.announce(schedule),
    engine: {
      newest: async (...asked) => (await engine()).newest(...asked),
      newestByKey: async (...asked) => (await engine()).newestByKey(...asked),
      newestList: async (...asked) => (await engine()).newestList(...asked),
      reserveId: async (...asked) => (await engine()).reserveId(...asked),
      commit: async (...asked) => (await engine()).commit(...asked),
      check: async (...asked) => (await engine()).check(...asked),
      chain: async (id) => (await engine()).chain(id),
      endings: place === undefined ? undefined : { place, prepare: async (plans) => (await endings()).prepare(plans) },
    },
    async close() {
      const store = await opening?.catch(() => undefined);
      await store?.close();
    },
  };
}
