import { distinctAt, stepsOf, valueAt } from "../../../schema/path-values";
import type { Scalar } from "../../../schema/paths";
import { compared } from "../../compared-values";
import { uniqueValueOf } from "../../unique-values";
import { IndexKeys } from "./index-keys";
import type { SlotDefinition } from "./slot-definition";
import { cut, partOf } from "./sortable";
import { wordsIn } from "./words";

/** Returns the entries of a record in one slot: their keys, each with a count. Only words have counts; those of others are null. */
export type EntriesOf = (record: object) => ReadonlyMap<string, number | null>;

/** The longest word, in bytes. A longer one is cut and ends with a hash. */
const longestWord = 200;

/** Key of the entry of a search whose count is the number of all words. */
export const allWords = "";

/** Returns how the entries of a slot are made. Those of a unique key are its value. */
export function entriesOf(definition: SlotDefinition): EntriesOf {
  switch (definition.kind) {
    case "list": {
      const keys = new IndexKeys(definition.fields);
      return (record) => new Map([[keys.of(record), null]]);
    }
    case "unique": {
      const uniqueValue = uniqueValueOf(definition.key);
      return (record) => {
        const value = uniqueValue(record);
        return new Map(value === null ? [] : [[value, null]]);
      };
    }
    case "reference": {
      const targetsIn = targetsAt(definition.path);
      return (record) => new Map([...targetsIn(record)].map((id) => [targetKey(id), null]));
    }
    case "elements":
      return elementsIn(definition.path);
    case "words":
      return wordsOf(definition.paths);
  }
}

/** Returns the key of the entries of records that refer to another one. */
export function targetKey(id: number): string {
  return partOf(id, false);
}

/** Returns a function that returns the ids that a record refers to. */
export function targetsAt(path: string): (record: object) => ReadonlySet<number> {
  const steps = stepsOf(path);
  return (record) => distinctAt(record, steps) as Set<number>;
}

/** Returns the key of an element of an array. */
function elementKey(element: Scalar): string {
  return partOf(compared(element), false);
}

function elementsIn(path: string): EntriesOf {
  const steps = stepsOf(path);
  return (record) => {
    const elements = valueAt(record, steps);
    const values = Array.isArray(elements) ? (elements as (Scalar | null)[]) : [];
    return new Map(values.flatMap((value) => (value === null ? [] : [[elementKey(value), null]])));
  };
}

/** Returns the key of a word. */
export function wordKey(word: string): string {
  return word.length * 3 > longestWord && Buffer.byteLength(word) > longestWord ? cut(word, longestWord) : word;
}

function wordsOf(paths: readonly string[]): EntriesOf {
  const fields = paths.map(stepsOf);
  return (record) => {
    const counts = new Map<string, number>();
    let all = 0;
    for (const steps of fields) {
      const text = valueAt(record, steps);
      for (const word of typeof text === "string" ? wordsIn(text) : []) {
        const key = wordKey(word);
        counts.set(key, (counts.get(key) ?? 0) + 1);
        all += 1;
      }
    }
    if (all > 0) counts.set(allWords, all);
    return counts;
  };
}
