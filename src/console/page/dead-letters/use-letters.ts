import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DeadLetter, LetterGroups, LetterPage } from "../answers";
import { ask } from "../api";
import type { Filters, Shown } from "./choice";
import { listed } from "./letter-key";

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
  /** Where the next letters of a group begin. */
  const begun = useRef(new Map<string, number>());
  const asking = useRef(new Set<string>());
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
      begun.current.clear();
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
    if (asking.current.has(group)) return;
    asking.current.add(group);
    const begin = begun.current.get(group);
    // The first ones came without a place after which there are more: they are read again.
    const shown = begin === undefined ? (loaded?.letters.filter((letter) => letter.group === group).length ?? 0) : 0;
    const from = begin === undefined ? "" : `&after=${begin}`;
    ask<LetterPage>(`${path}?${search}&group=${group}&body=none&limit=${shown + atATime}${from}`)
      .then(({ deadLetters, next }) => {
        if (next !== null) begun.current.set(group, next);
        const stay = (letter: DeadLetter) => begin !== undefined || letter.group !== group;
        setLoaded((before) => before && { ...before, letters: [...before.letters.filter(stay), ...deadLetters] });
      }, setError)
      .finally(() => asking.current.delete(group));
  };
  const shown = useMemo(
    () => loaded && { groups: loaded.groups.groups, letters: listed(loaded.letters), matched: loaded.groups.matched },
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
