import { afterEach, beforeEach } from "bun:test";
import { openStore } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import type { Places } from "./engines";
import { temporaryFolder } from "./folder";

type Resources = Parameters<typeof openStore>[1];
type Options = Parameters<typeof openStore>[2];

/**
 * Opens a store in a folder of its own before each test of a block. After the test, closes it and removes the folder. An `afterEach`
 * that must run before that is declared before this is called.
 */
export function useStore<P extends Places>(placesIn: (folder: string) => P, declared: Resources, usual?: Options) {
  let folder: ReturnType<typeof temporaryFolder>;
  let current: Store;
  const places = () => placesIn(folder.path);
  const open = async (resources = declared, options = usual) => {
    current = await openStore(places(), resources, options);
  };
  const start = async () => {
    folder = temporaryFolder();
    await open();
  };
  const end = async () => {
    await current.close();
    folder.remove();
  };
  beforeEach(start);
  afterEach(end);
  return {
    /** Leads to the store that is open now. */
    store: new Proxy({} as Store, { get: (_, name) => memberOf(current, name) }),
    /** Returns the places of the store. */
    places,
    /** Opens the store again after a test has closed it. Without resources, those of the block. */
    open,
    /** Closes the store and opens it again. Without resources, those of the block. */
    async reopen(resources?: Resources): Promise<void> {
      await current.close();
      await open(resources);
    },
    /** Goes on with an empty store. */
    async startOver(): Promise<void> {
      await end();
      await start();
    },
  };
}

/** Opens a store for some work, and closes it after. */
export async function withStore<T>(places: Places, resources: Resources, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(places, resources);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Returns a property of a store. A method is bound to the store. */
export function memberOf(store: Store, name: string | symbol): unknown {
  const value: unknown = Reflect.get(store, name);
  return typeof value === "function" ? value.bind(store) : value;
}
