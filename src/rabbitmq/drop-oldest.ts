/** Removes the oldest entries beyond `most`. */
export function dropOldest<Key>(kept: Map<Key, unknown> | Set<Key>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}
