import { useCallback, useEffect, useState } from "preact/hooks";
import { send } from "../api";
import type { Fields } from "./drafts";

/** A record in one of its states. */
export interface Stored {
  readonly record: Fields;
  /** Tag of this state, which no other state has. */
  readonly etag: string;
}

/** Resolves with a record as it is now. */
export async function readRecord(path: string, signal?: AbortSignal): Promise<Stored> {
  return storedIn(await send(path, signal && { signal }));
}

/** Resolves with the record of an answer. */
export async function storedIn(response: Response): Promise<Stored> {
  return { record: (await response.json()) as Fields, etag: response.headers.get("etag") ?? "*" };
}

export interface RecordAnswer {
  readonly stored: Stored | undefined;
  readonly error: Error | undefined;
  readonly reload: () => void;
}

/** Reads a record when the component appears, when the path changes and when `reload` is called. */
export function useRecord(path: string): RecordAnswer {
  const [time, setTime] = useState(0);
  const [kept, setKept] = useState<{ stored?: Stored; error?: Error }>({});
  useEffect(() => {
    const leaving = new AbortController();
    readRecord(path, leaving.signal).then(
      (stored) => setKept({ stored }),
      (error: Error) => !leaving.signal.aborted && setKept({ error }),
    );
    return () => leaving.abort();
  }, [path, time]);
  const reload = useCallback(() => setTime((before) => before + 1), []);
  return { stored: kept.stored, error: kept.error, reload };
}
