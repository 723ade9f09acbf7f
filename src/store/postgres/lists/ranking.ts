/** How often a word occurs in a record. */
export interface Occurrence {
  readonly id: number;
  readonly word: string;
  readonly count: number;
}

/** Parameters of BM25, as SQLite has them: how much further occurrences of a word count, and how much the length of a text. */
const [k1, b] = [1.2, 0.75];

/**
 * Returns the ids of records by how well they match (BM25), the best first, and of equal ones the greatest.
 *
 * @param occurrences of each word in each record.
 * @param lengths the number of all words of each record.
 * @param frequencies the number of records that have each word, as far as it was counted.
 * @param records the number up to which it was counted.
 */
export function ranked(
  occurrences: readonly Occurrence[],
  lengths: ReadonlyMap<number, number>,
  frequencies: ReadonlyMap<string, number>,
  records: number,
): number[] {
  const average = [...lengths.values()].reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.size);
  const scores = new Map<number, number>([...lengths.keys()].map((id) => [id, 0]));
  for (const { id, word, count } of occurrences) {
    const rarity = Math.log(1 + records / Math.max(1, frequencies.get(word) ?? 1));
    const length = (lengths.get(id) ?? average) / Math.max(1, average);
    const score = (rarity * count * (k1 + 1)) / (count + k1 * (1 - b + b * length));
    scores.set(id, (scores.get(id) ?? 0) + score);
  }
  return [...scores].sort(([idA, a], [idB, other]) => other - a || idB - idA).map(([id]) => id);
}
