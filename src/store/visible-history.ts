import type { Actor } from "../schema/actor";
import { resourceName } from "../schema/event";
import type { Resource } from "../schema/resource";
import { exists } from "./access";
import { type HistoryReader, storedIn } from "./history";
import type { LogEntry } from "./log";

/**
 * Returns a reader of histories that shows an actor only events of records that it may read. A page without any such event ends the
 * history, so that it does not tell whether there are others.
 */
export function visibleHistory(history: HistoryReader, actor: Actor | undefined): HistoryReader {
  return {
    async page(resource, id, page) {
      const { entries, next } = await history.page(resource, id, page);
      const visible = entries.filter((entry) => exists(resource, storedIn(resource, entry), actor));
      return { entries: visible, next: visible.length === 0 && entries.length > 0 ? null : next };
    },
    async version(resource, id, version) {
      const stored = await history.version(resource, id, version);
      return exists(resource, stored, actor) ? stored : undefined;
    },
  };
}

/** A history without events. */
export const noHistory: HistoryReader = {
  page: async () => ({ entries: [], next: null }),
  version: async () => undefined,
};

/** Returns whether an actor may see an event. One of a resource that is no longer declared is shown to the service's own tokens only. */
export function isVisible(resources: readonly Resource[], event: Pick<LogEntry, "type" | "body">, actor: Actor | undefined): boolean {
  const resource = resources.find(({ name }) => name === resourceName(event.type));
  return resource ? exists(resource, storedIn(resource, event), actor) : !actor?.claims;
}
