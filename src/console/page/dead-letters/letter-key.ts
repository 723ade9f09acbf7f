import type { DeadLetter } from "../answers";

/** A dead letter of the list. */
export interface ListedLetter extends DeadLetter {
  /** Names it in links: its id or, if the message has none, its group and its place among those of the group that have none. */
  readonly key: string;
}

export function listed(letters: readonly DeadLetter[]): ListedLetter[] {
  const counts = new Map<string, number>();
  return letters.map((letter) => {
    const { id, group } = letter;
    if (id !== "") return { ...letter, key: id };
    const place = counts.get(group) ?? 0;
    counts.set(group, place + 1);
    return { ...letter, key: `no-id.${group}.${place}` };
  });
}

/** Returns the query of the API for the letters among which one is. */
export function queryFor(key: string): string {
  const { group, place } = withoutId(key);
  // Others of the group may have an id.
  return group === undefined ? `search=${encodeURIComponent(key)}&limit=20` : `group=${group}&limit=${Math.min(200, place + 50)}`;
}

/** Returns the letter with this key, of those that {@link queryFor} asks for. */
export function letterOf(key: string, letters: readonly DeadLetter[]): DeadLetter | undefined {
  const { group, place } = withoutId(key);
  return group === undefined ? letters.find(({ id }) => id === key) : letters.filter(({ id }) => id === "")[place];
}

function withoutId(key: string): { group: string | undefined; place: number } {
  const [, group, place] = /^no-id\.(\w+)\.(\d+)$/.exec(key) ?? [];
  return { group, place: Number(place) };
}
