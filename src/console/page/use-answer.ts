import { useCallback, useEffect, useState } from "preact/hooks";
import { ask } from "./api";

/** An answer of the API. After a failure, the last answer stays, with the time that it is from. */
export interface Answer<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  /** When `data` came. */
  readonly at: Date | undefined;
  readonly reload: () => void;
}

type Kept<T> = Omit<Answer<T>, "reload"> & { readonly path: string | undefined };

/** Like {@link useAnswer}, and asks again at this interval, in milliseconds, while the page is visible. */
export function useRenewed<T>(path: string | undefined, everyMs: number): Answer<T> {
  const answer = useAnswer<T>(path);
  const { reload } = answer;
  useEffect(() => {
    if (path === undefined) return;
    const timer = setInterval(() => !document.hidden && reload(), everyMs);
    return () => clearInterval(timer);
  }, [path, everyMs, reload]);
  return answer;
}

/**
 * Asks the API when the component appears, when the path changes and when `reload` is called.
 *
 * @param path undefined to ask nothing yet.
 */
export function useAnswer<T>(path: string | undefined): Answer<T> {
  const [time, setTime] = useState(0);
  const nothing: Kept<T> = { data: undefined, error: undefined, isLoading: path !== undefined, at: undefined, path };
  const [kept, setKept] = useState(nothing);
  useEffect(() => {
    if (path === undefined) return;
    const leaving = new AbortController();
    setKept((before) => (before.path === path ? { ...before, isLoading: true } : nothing));
    ask<T>(path, { signal: leaving.signal }).then(
      (data) => setKept({ data, error: undefined, isLoading: false, at: new Date(), path }),
      (error: Error) => {
        if (!leaving.signal.aborted) setKept((before) => ({ ...before, error, isLoading: false }));
      },
    );
    return () => leaving.abort();
  }, [path, time]);
  const reload = useCallback(() => setTime((before) => before + 1), []);
  const { path: _, ...answer } = kept.path === path ? kept : nothing;
  return { ...answer, reload };
}
