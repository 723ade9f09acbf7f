import type { Scalar } from "../../../schema/paths";
import { type ComparedField, type ComparedValue, comparedField } from "../../compared-values";
import type { Condition } from "../../listing";
import { afterAll, cut, firstBytes, notNull, partOf, partsWith } from "./sortable";

/** A field of a {@link IndexKeys}. */
export interface KeyField {
  readonly path: string;
  readonly descending: boolean;
  /** True if the values are times, which are compared as instants. */
  readonly isTime: boolean;
}

/** Keys from `from` on, below `to`. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
  /** False if there may be other keys in the range than those that match the condition. */
  readonly isWhole: boolean;
}

/** A longer key is cut. An entry of an index may have 2,704 bytes. */
const longest = 2400;
/** Number of bytes that are kept of a longer key. */
const kept = 2300;
/** Number of bytes by which keys can be told apart, whether or not they were cut. */
const distinct = kept - 8;

/**
 * The keys of an index for lists: for each record, a text made of its values in some fields. The order of the keys in the C collation is
 * that of the list, so that each list, also one with ascending and descending fields, is one range of keys.
 */
export class IndexKeys {
  readonly #fields: readonly (ComparedField & KeyField)[];

  constructor(fields: readonly KeyField[]) {
    this.#fields = fields.map((field) => ({ ...field, ...comparedField(field.path, field.isTime) }));
  }

  of(record: object): string {
    return this.ofValues(this.valuesIn(record));
  }

  /** Returns the values that a record has in the fields, as they are compared. */
  valuesIn(record: object): ComparedValue[] {
    return this.#fields.map((field) => field.of(record));
  }

  /** Returns the key of a record that has these compared values. */
  ofValues(values: readonly ComparedValue[]): string {
    return shortened(this.#start(values));
  }

  /** Converts values of the first fields, such as those of a condition. */
  compared(values: readonly (Scalar | null)[]): ComparedValue[] {
    return values.map((value, index) => (this.#fields[index] as ComparedField).from(value));
  }

  /**
   * Returns the range of the keys of the records with some values in the first fields, and a condition for the next field.
   *
   * @param values as they are in the condition: a time is not converted.
   */
  range(values: readonly (Scalar | null)[], condition: Condition = {}): KeyRange {
    const start = this.#start(this.compared(values));
    const [from, to, isWhole = true] = this.#within(start, values.length, condition);
    if (Buffer.byteLength(from) <= distinct && Buffer.byteLength(to) <= distinct) return { from, to, isWhole };
    // A record whose key was cut is in a range of its first bytes. A key of all fields is unambiguous also if it was cut.
    if (values.length === this.#fields.length) {
      const key = shortened(start);
      return { from: key, to: afterAll(key), isWhole };
    }
    return { from: firstBytes(from, distinct), to: afterAll(firstBytes(to, distinct)), isWhole: false };
  }

  #start(values: readonly ComparedValue[]): string {
    return values.map((value, index) => partOf(value, this.#fields[index]?.descending ?? false)).join("");
  }

  #within(start: string, index: number, { exact, min, max, prefix }: Condition): readonly [from: string, to: string, isWhole?: boolean] {
    const end = start === "" ? afterEverything : afterAll(start);
    const field = this.#fields[index];
    const [value = null] = exact ?? [];
    if (!field || (!exact && prefix === undefined && min === undefined && max === undefined)) return [start, end];
    const { descending } = field;
    const part = (given: ComparedValue) => start + partOf(given, descending);
    if (exact) return [part(field.from(value)), afterAll(part(field.from(value)))];
    if (prefix !== undefined) {
      const parts = partsWith(prefix, descending);
      return [start + parts.start, afterAll(start + parts.start), parts.isWhole];
    }
    const [low, high] = [min, max].map((bound) => (bound === undefined ? undefined : field.from(bound)));
    // A bound that is not a time matches nothing.
    if (low === null || high === null) return [start, start];
    if (descending) return [high === undefined ? start : part(high), low === undefined ? start + notNull.descending : afterAll(part(low))];
    return [low === undefined ? start + notNull.ascending : part(low), high === undefined ? end : afterAll(part(high))];
  }
}

/** Greater than all keys. They begin with a letter, its inverted form, or the end of a part. */
const afterEverything = "\u{10ffff}";

function shortened(key: string): string {
  return key.length * 3 > longest && Buffer.byteLength(key) > longest ? cut(key, kept) : key;
}
