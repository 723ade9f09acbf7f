import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Event, EventPage, Placed } from "../answers";
import { ask } from "../api";
import { type Connection, type Entry, follow } from "../event-source";

/** Rows that are kept of what arrives. */
export const mostRows = 500;
/** How often rows are added, in milliseconds. */
const flushEveryMs = 250;
const pageSize = 50;

export interface Tail {
  /** Newest first. */
  readonly rows: readonly Placed[];
  /** Number of events that have arrived since the tail was paused. */
  readonly waiting: number;
  readonly connection: Connection;
  readonly isLoading: boolean;
  readonly error: Error | undefined;
  /** True if there are events before the last row. */
  readonly hasOlder: boolean;
  readonly loadOlder: () => void;
  /** Begins again, after an error. */
  readonly reload: () => void;
}

interface Kept {
  rows: readonly Placed[];
  /** As they came, parsed when they are shown: of many, most are never. */
  pending: Entry[];
  arrived: number;
  connection: Connection;
  isLoading: boolean;
  error: Error | undefined;
  /** Where older events begin. Undefined if there are none. */
  before: number | undefined;
}

/**
 * Follows the events that match a filter.
 *
 * @param filter query parameters of the API, such as `type=item.created`.
 * @param isPaused keeps the rows as they are.
 */
export function useTail(filter: string, isPaused: boolean): Tail {
  const [, render] = useReducer((times: number, _: undefined) => times + 1, 0);
  const [begun, reload] = useReducer((times: number, _: undefined) => times + 1, 0);
  const kept = useRef<Kept>(nothing());
  const paused = useRef(isPaused);
  paused.current = isPaused;

  const flush = () => {
    const { current } = kept;
    if (paused.current || current.pending.length === 0) return;
    const newest = current.rows[0]?.position ?? 0;
    const fresh = current.pending
      .map(placedOf)
      .reverse()
      .filter(({ position }) => position > newest);
    const rows = [...fresh, ...current.rows];
    // Rows that are dropped here can be asked for again.
    if (rows.length > mostRows || current.arrived > fresh.length) current.before = rows.slice(0, mostRows).at(-1)?.position;
    Object.assign(current, { rows: rows.slice(0, mostRows), pending: [], arrived: 0 });
    render(undefined);
  };
  const older = async (before: number | "end" = kept.current.before ?? "end", signal?: AbortSignal) => {
    const { current } = kept;
    try {
      const page = await ask<EventPage>(`/events?${filter}&before=${before}&limit=${pageSize}`, signal ? { signal } : {});
      const oldest = current.rows.at(-1)?.position ?? Number.POSITIVE_INFINITY;
      current.rows = [...current.rows, ...page.events.filter(({ position }) => position < oldest)];
      current.before = page.more ? page.next : undefined;
      current.error = undefined;
    } catch (error) {
      if (!signal?.aborted) current.error = error as Error;
    }
    current.isLoading = false;
    render(undefined);
  };

  useEffect(() => {
    kept.current = nothing();
    render(undefined);
    const leaving = new AbortController();
    void older("end", leaving.signal).then(() => {
      const { current } = kept;
      if (leaving.signal.aborted || current.error) return;
      const [newest] = current.rows;
      const receive = {
        onEntries: (entries: readonly Entry[]) => {
          current.arrived += entries.length;
          current.pending = [...current.pending, ...entries].slice(-mostRows);
          if (paused.current) render(undefined);
        },
        onConnection: (connection: Connection) => {
          current.connection = connection;
          // A stream without a row to begin after begins now. What came since the list was read is read here.
          if (connection === "live" && current.rows.length === 0) void older("end", leaving.signal);
          render(undefined);
        },
        // Such as after events were removed that the page has yet to get.
        onRefused: (refused: Error) => {
          current.error = refused;
          render(undefined);
        },
      };
      void follow(`/events/stream?${filter}${newest ? `&after=${newest.position}` : ""}`, receive, leaving.signal);
    });
    const timer = setInterval(flush, flushEveryMs);
    return () => {
      leaving.abort();
      clearInterval(timer);
    };
  }, [filter, begun]);
  useEffect(flush, [isPaused]);

  const { rows, arrived, connection, isLoading, error, before } = kept.current;
  const actions = { loadOlder: () => void older(), reload: () => reload(undefined) };
  return { rows, waiting: arrived, connection, isLoading, error, hasOlder: before !== undefined, ...actions };
}

function nothing(): Kept {
  return { rows: [], pending: [], arrived: 0, connection: "connecting", isLoading: true, error: undefined, before: undefined };
}

function placedOf({ id, data }: Entry): Placed {
  return { position: Number(id), event: JSON.parse(data) as Event };
}
