import type { Leadership } from "../../src/store/leadership";
import type { Store } from "../../src/store/store";

/** Leads the relay for some work. */
export async function asRelay(store: Store, work: (leadership: Leadership) => Promise<unknown>): Promise<void> {
  await store.lead("relay", new AbortController().signal, async (leadership) => {
    await store.relayed.takeOver(leadership);
    await work(leadership);
  });
}

/** Stores the position of the relay. */
export function relayTo(store: Store, position: number): Promise<void> {
  return asRelay(store, (leadership) => store.relayed.save(position, leadership));
}
