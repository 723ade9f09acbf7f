import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Status } from "./answers";
import type { Refused } from "./api";
import { type Connection, type Entry, follow } from "./event-source";

/** The state of the system, as the stream of the API renews it. */
export interface LiveStatus {
  /** Undefined until the first one comes. */
  readonly status: Status | undefined;
  readonly connection: Connection;
  /** Why the API does not show it to this session. */
  readonly refused: Refused | undefined;
  /** When the last one came. */
  readonly at: Date | undefined;
}

const nothing: LiveStatus = { status: undefined, connection: "connecting", refused: undefined, at: undefined };
const Context = createContext<LiveStatus>(nothing);

export const StatusProvider = Context.Provider;

export function useStatus(): LiveStatus {
  return useContext(Context);
}

/** Follows the status with one stream per tab. */
export function useStatusStream(): LiveStatus {
  const [live, setLive] = useState(nothing);
  useEffect(() => {
    const leaving = new AbortController();
    void follow(
      "/status/stream",
      {
        onEntries: (entries) => setLive((before) => ({ ...before, status: applied(before.status, entries), at: new Date() })),
        onConnection: (connection) => setLive((before) => ({ ...before, connection })),
        onRefused: (refused) => setLive((before) => ({ ...before, refused })),
      },
      leaving.signal,
    );
    return () => leaving.abort();
  }, []);
  return live;
}

/** The first entry has everything, and each other one what has changed. */
function applied(status: Status | undefined, entries: readonly Entry[]): Status | undefined {
  let next = status;
  for (const { event, data } of entries) {
    const sent = JSON.parse(data) as Status;
    next = event === "change" ? next && Object.assign({}, next, sent) : sent;
  }
  return next;
}
