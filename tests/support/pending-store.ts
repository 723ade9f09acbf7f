import { Distribution } from "../../src/observe/tally";
import type { Store } from "../../src/store/store";

/** The methods of the parts of a store, which all resolve later. */
const parts = {
  log: ["read", "scan", "scanBack", "end", "pruned", "positionBefore"],
  history: ["page", "version"],
  timers: ["due", "fire", "next", "list", "get", "cancel", "count"],
  schedules: ["announce", "list", "find", "remove", "aim", "tick", "rewind", "settle"],
  changing: ["newest", "newestByKey", "newestList", "reserveId", "commit", "check", "chain"],
  relayed: ["load", "takeOver", "save"],
  relayTrouble: ["get", "save"],
  subscriptions: ["save", "find", "list", "forget", "forgetRemoved"],
  retryQueues: ["save", "remove", "list"],
  refusals: ["save", "list"],
  replays: ["add", "get", "unfinished", "save", "takeOver", "end", "list"],
} as const satisfies { readonly [Part in keyof Store]?: readonly (keyof Store[Part])[] };

const methods = [
  ...["insert", "insertAll", "insertEach", "importEach", "update", "remove", "restore", "transaction", "erase", "get", "getAll"],
  ...["findByKey", "list", "find", "causedBy", "lead", "prune", "problems", "checkRecords", "check", "close"],
] as const;

/** Returns a store that is still opening: its methods wait for it. */
export function pendingStore(opening: Promise<Store>): Store {
  let opened: Store | undefined;
  const ready = opening.then((store) => {
    opened = store;
    return store;
  });
  // Whoever calls a method gets the error.
  ready.catch(() => {});
  const calling =
    (of: (store: Store) => object, name: string) =>
    async (...values: unknown[]): Promise<unknown> => {
      const target = of(await ready);
      return (Reflect.get(target, name) as (...values: unknown[]) => unknown).apply(target, values);
    };
  const partOf = (part: keyof typeof parts) =>
    Object.fromEntries(parts[part].map((name) => [name, calling((store) => store[part] as object, name)]));
  const tally = { commits: { seconds: new Distribution([]), changes: new Distribution([]), failures: 0 }, appended: new Map() };
  return {
    ...Object.fromEntries(methods.map((name) => [name, calling((store) => store, name)])),
    ...Object.fromEntries((Object.keys(parts) as (keyof typeof parts)[]).map((part) => [part, partOf(part)])),
    get logId() {
      return opened?.logId ?? "";
    },
    get tally() {
      return opened?.tally ?? tally;
    },
    isReplaced: () => opened?.isReplaced() ?? false,
    onAppend(listener: () => void) {
      let stop = () => {};
      let isStopped = false;
      void ready.then((store) => {
        if (!isStopped) stop = store.onAppend(listener);
      });
      return () => {
        isStopped = true;
        stop();
      };
    },
  } as unknown as Store;
}
