import { isTimeAt } from "../../schema/field-at";
import { stepsOf, valueAt } from "../../schema/path-values";
import type { Scalar } from "../../schema/paths";
import type { Resource } from "../../schema/resource";
import { compared } from "../compared-values";
import { elementPaths, indexesOf, type ListIndex } from "../list-indexes";
import { IndexKeys, type KeyField } from "./index-keys";
import { cut, partOf } from "./sortable";
import { wordsIn } from "./words";

/** An entry of a record, by which lists find it. */
export interface ListEntry {
  readonly key: string;
  /** How often the word that is the key occurs. Null for entries of others than a search. */
  readonly count: number | null;
}

/** Entries that lists need, derived from each record of a resource. */
export interface ListEntries {
  /** Contains a colon, so that it is no resource's name. */
  readonly name: string;
  /** Describes them in messages: `The index "state" of "order"`. */
  readonly title: string;
  /** Changes when the same records would give other entries. */
  readonly definition: string;
  /** Returns the entries of a record, each with another key. */
  entriesOf(record: object): ListEntry[];
}

/** Version of the form of keys. Increase it when it changes. */
const format = 1;

/** The longest word, in bytes. A longer one is cut and ends with a hash. */
const longestWord = 200;

/** Key of the entry of a search whose count is the number of all words. */
export const allWords = "";

export function indexEntriesName(plural: string, { name }: ListIndex): string {
  return `${plural}:list:${name}`;
}

export function elementEntriesName(plural: string, path: string): string {
  return `${plural}:elements:${path}`;
}

export function wordEntriesName(plural: string): string {
  return `${plural}:words`;
}

/** Returns all entries that the lists of a resource need: of its orders and indexes, of its arrays, and of its search. */
export function listEntriesOf(resource: Resource): ListEntries[] {
  return [
    ...indexesOf(resource).map((index) => indexEntries(resource, index)),
    ...elementPaths(resource).map((path) => elementEntries(resource, path)),
    ...(resource.search.length > 0 ? [wordEntries(resource)] : []),
  ];
}

/** Returns the keys of an index. */
export function indexKeysOf(resource: Resource, index: ListIndex): IndexKeys {
  return new IndexKeys(fieldsOf(resource, index));
}

function fieldsOf({ fields }: Resource, { keys }: ListIndex): KeyField[] {
  return keys.map(({ path, descending }) => ({ path, descending, isTime: isTimeAt(fields, path) }));
}

function indexEntries(resource: Resource, index: ListIndex): ListEntries {
  const keys = indexKeysOf(resource, index);
  return {
    name: indexEntriesName(resource.plural, index),
    title: `The index "${index.name}" of "${resource.name}"`,
    definition: JSON.stringify([format, fieldsOf(resource, index)]),
    entriesOf: (record) => [{ key: keys.of(record), count: null }],
  };
}

/** Returns the key of an element of an array. */
export function elementKey(element: Scalar): string {
  return partOf(compared(element), false);
}

function elementEntries({ name, plural }: Resource, path: string): ListEntries {
  const steps = stepsOf(path);
  return {
    name: elementEntriesName(plural, path),
    title: `The index "${path}" of "${name}"`,
    definition: JSON.stringify([format]),
    entriesOf: (record) => {
      const elements = valueAt(record, steps);
      const keys = Array.isArray(elements) ? (elements as (Scalar | null)[]).flatMap((one) => (one === null ? [] : elementKey(one))) : [];
      return [...new Set(keys)].map((key) => ({ key, count: null }));
    },
  };
}

/** Returns the key of a word. */
export function wordKey(word: string): string {
  return word.length * 3 > longestWord && Buffer.byteLength(word) > longestWord ? cut(word, longestWord) : word;
}

function wordEntries({ name, plural, search }: Resource): ListEntries {
  const paths = search.map(stepsOf);
  return {
    name: wordEntriesName(plural),
    title: `The search of "${name}"`,
    definition: JSON.stringify([format, search]),
    entriesOf: (record) => {
      const counts = new Map<string, number>();
      let all = 0;
      for (const steps of paths) {
        const text = valueAt(record, steps);
        for (const word of typeof text === "string" ? wordsIn(text) : []) {
          const key = wordKey(word);
          counts.set(key, (counts.get(key) ?? 0) + 1);
          all += 1;
        }
      }
      return all === 0 ? [] : [...counts, [allWords, all] as const].map(([key, count]) => ({ key, count }));
    },
  };
}
