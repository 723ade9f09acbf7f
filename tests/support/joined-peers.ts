import type { Peers } from "../../src/store/peers";

/** Processes that tell each other at once. */
export function joined(count: number): { readonly processes: readonly Peers[]; readonly told: string[] } {
  const told: string[] = [];
  const listeners = Array.from({ length: count }, () => new Set<(text: string) => void>());
  const processes = listeners.map((own) => ({
    tell(text: string) {
      told.push(text);
      for (const others of listeners) if (others !== own) for (const listener of others) listener(text);
    },
    onTold: (listener: (text: string) => void) => void own.add(listener),
  }));
  return { processes, told };
}
