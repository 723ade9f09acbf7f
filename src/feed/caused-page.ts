import type { LogEntry, LogReader, Scan, Scanned } from "../store/log";
import type { Store } from "../store/store";

/** Selects events that an event has caused. */
export interface Caused extends Pick<Scan, "types" | "subject" | "limit" | "maxLength"> {
  /** The id of that event. */
  readonly cause: string;
  /** Returns whether to show an event. */
  readonly isVisible: (event: LogEntry) => boolean;
}

/**
 * Resolves with the selected events after a position that an event has caused, in commit order, and the position to continue from. That is
 * undefined after the last of them.
 */
export async function causedPage(
  { causedBy }: Pick<Store, "causedBy">,
  after: number,
  { cause, types, subject, isVisible, limit, maxLength }: Caused,
): Promise<Pick<Scanned, "entries"> & { readonly position: number | undefined }> {
  const found = await causedBy(cause, limit + 1, after);
  const entries: LogEntry[] = [];
  let length = 0;
  for (const [index, event] of found.entries()) {
    if (index === limit || length >= maxLength) return { entries, position: found[index - 1]?.position };
    length += event.body.length;
    if ((types === null || types.includes(event.type)) && (subject === null || subject === event.subject) && isVisible(event))
      entries.push(event);
  }
  return { entries, position: undefined };
}

/** Returns the log as a stream reads it that has only the events that one event has caused. */
export function causedLog(
  store: Pick<Store, "causedBy" | "log">,
  caused: Pick<Caused, "cause" | "isVisible">,
): Pick<LogReader, "end" | "scan" | "pruned"> {
  return {
    end: () => store.log.end(),
    pruned: () => store.log.pruned(),
    async scan(after, scan) {
      // Asked first: what is found after that is complete up to here.
      const end = await store.log.end();
      const { entries, position } = await causedPage(store, after, { ...scan, ...caused });
      return { entries, position: position ?? Math.max(end, entries.at(-1)?.position ?? end) };
    },
  };
}
