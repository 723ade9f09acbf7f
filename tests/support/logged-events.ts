import type { Store } from "../../src/store/store";

/** Returns the events in a store's log after a position, as consumers receive them. */
export async function loggedEvents(store: Store, after = 0): Promise<Record<string, unknown>[]> {
  return (await store.log.read(after, 100_000)).map(({ body }) => JSON.parse(body) as Record<string, unknown>);
}
