import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { DeadLetter, LetterGroups, LetterPage } from "../answers";
import { ask } from "../api";
import type { Filters, Shown } from "./choice";

/** Letters that are read at first, for all groups together, and more of one group at a time. */
const [atFirst, atATime] = [60, 50];
/** Letters of a group that are shown at first. */
const shownOfGroup = 6;

export interface Letters {
  readonly shown: Shown | undefined;
  readonly upTo: number;
  /** True if the answer covers all dead letters of the queue. */
  readonly looked: { readonly count: number; readonly isComplete: boolean } | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
  readonly more: (group: string) => void;
}

interface Loaded {
  readonly groups: LetterGroups;
  readonly letters: readonly DeadLetter[];
}

/** Reads the dead letters of a queue: how many have each error, and the first of them. One pass after the other, since each takes the queue. */
export function useLetters(queue: string | undefined, filters: Filters): Letters {
  const [loaded, setLoaded] = useState<Loaded>();
  const [error, setError] = useState<Error>();
  const [isLoading, setLoading] = useState(true);
  const [time, setTime] = useState(0);
  const path = queue === undefined ? undefined : `/dead-letters/${encodeURIComponent(queue)}`;
  const search = new URLSearchParams(filters as Record<string, string>).toString();
  useEffect(() => setLoaded(undefined), [path, search]);
  useEffect(() => {
    if (path === undefined) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const load = async () => {
      const groups = await ask<LetterGroups>(`${path}/groups?${search}`, { signal });
      const { deadLetters } = await ask<LetterPage>(`${path}?${search}&body=none&limit=${atFirst}`, { signal });
      setLoaded({ groups, letters: firstOfEach(deadLetters) });
      setError(undefined);
      setLoading(false);
    };
    setLoading(true);
    load().catch((failure: Error) => {
      if (signal.aborted) return;
      setError(failure);
      setLoading(false);
    });
    return () => leaving.abort();
  }, [path, search, time]);

  const more = (group: string) => {
    const known = loaded?.letters.filter((letter) => letter.group === group) ?? [];
    void ask<LetterPage>(`${path}?${search}&group=${group}&body=none&limit=${known.length + atATime}`).then(({ deadLetters }) =>
      setLoaded(
        (before) => before && { ...before, letters: [...before.letters.filter((letter) => letter.group !== group), ...deadLetters] },
      ),
    );
  };
  const shown = useMemo(
    () => loaded && { groups: loaded.groups.groups, letters: loaded.letters, matched: loaded.groups.matched },
    [loaded],
  );
  return {
    shown,
    upTo: loaded?.groups.upTo ?? 0,
    looked: loaded && { count: loaded.groups.looked, isComplete: loaded.groups.complete },
    error,
    isLoading,
    reload: useCallback(() => setTime((before) => before + 1), []),
    more,
  };
}

function firstOfEach(letters: readonly DeadLetter[]): DeadLetter[] {
  const counts = new Map<string, number>();
  return letters.filter(({ group }) => {
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    return count <= shownOfGroup;
  });
}
