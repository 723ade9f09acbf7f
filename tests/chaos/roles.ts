import type { Kind } from "./history";

const all: readonly Kind[] = ["created", "updated", "deleted"];

/** The consumers of a run: one on the shared queue, one with a filter, one with exactly-once effects. */
export const roles = {
  shared: { queue: "item_events", kinds: all, exactlyOnce: false, concurrency: 4 },
  filtered: { queue: "chaos-filtered", kinds: ["created", "deleted"] as readonly Kind[], exactlyOnce: false, concurrency: 1 },
  once: { queue: "chaos-once", kinds: all, exactlyOnce: true, concurrency: 1 },
} as const;

export type Role = keyof typeof roles;
export const roleNames = Object.keys(roles) as [Role, ...Role[]];
