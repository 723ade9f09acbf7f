import { stepsOf, valueAt } from "../../../schema/path-values";
import { wordKey } from "../slots/slot-entries";
import { wordsIn } from "../slots/words";

/** The words that a search looks for. */
export interface SearchWords {
  /** The keys of its different words. A record must have all of them. */
  readonly keys: readonly string[];
  /** Returns whether a record has the words of each part in a row, in one field. Undefined if the keys say so already. */
  readonly isIn: ((record: object) => boolean) | undefined;
}

/**
 * Returns what a search looks for. White space separates its parts, and the words of a part, such as those of `ada@example.com`, must
 * follow each other.
 *
 * @param paths the fields that are searched.
 */
export function searchWords(text: string, paths: readonly string[]): SearchWords {
  const parts = text.split(/\s+/).map((part) => wordsIn(part).map(wordKey));
  const rows = parts.filter((words) => words.length > 1);
  const fields = paths.map(stepsOf);
  const isIn = (record: object) => {
    const texts = fields.map((steps) => valueAt(record, steps)).filter((value) => typeof value === "string");
    const found = texts.map((value) => wordsIn(value).map(wordKey));
    return rows.every((words) => found.some((all) => hasRow(all, words)));
  };
  return { keys: [...new Set(parts.flat())], isIn: rows.length > 0 ? isIn : undefined };
}

function hasRow(all: readonly string[], words: readonly string[]): boolean {
  return all.some((_, start) => words.every((word, index) => all[start + index] === word));
}
