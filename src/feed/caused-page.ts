import type { LogEntry, Scan, Scanned } from "../store/log";
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
