import type { Config } from "../config/config";
import type { Resource } from "../schema/resource";
import { fileOfApi, openStore, placeOfAll } from "../store/open";
import type { Store } from "../store/store";
import type { TransactionEngine } from "../store/transaction/engine";
import { ChangesLink } from "./link";

/** The way to change records from a process that is not the API. */
export interface Changing {
  readonly engine: TransactionEngine;
  close(): Promise<void>;
}

/** Returns the way to change the records of a database. It connects when it is first used. */
export function changingIn(config: Pick<Config, "database">, resources: readonly Resource[]): Changing {
  const file = fileOfApi(config);
  if (file !== undefined) return { engine: new ChangesLink(file), close: async () => {} };
  let opening: Promise<Store> | undefined;
  const engine = async () => {
    opening ??= openStore(config, resources);
    try {
      return (await opening).changing;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  const place = placeOfAll(config);
  const endings = async () => {
    const { endings } = await engine();
    if (!endings) throw new Error(`${config.database.shown} cannot commit with the transactions of consumers.`);
    return endings;
  };
  return {
    engine: {
      newest: async (...asked) => (await engine()).newest(...asked),
      newestByKey: async (...asked) => (await engine()).newestByKey(...asked),
      newestList: async (...asked) => (await engine()).newestList(...asked),
      reserveId: async (...asked) => (await engine()).reserveId(...asked),
      commit: async (...asked) => (await engine()).commit(...asked),
      check: async (...asked) => (await engine()).check(...asked),
      endings: place === undefined ? undefined : { place, prepare: async (plans) => (await endings()).prepare(plans) },
    },
    async close() {
      const store = await opening?.catch(() => undefined);
      await store?.close();
    },
  };
}
