import { isTimeAt } from "../schema/field-at";
import { stepsOf, valueAt } from "../schema/path-values";
import type { Resource } from "../schema/resource";

/** A value as lists compare it. Null is less than numbers, and these are less than text. */
export type ComparedValue = string | number | null;

/** Returns a value as lists compare it: false as 0 and true as 1. */
export function compared<Value extends string | number | null>(value: Value | boolean): Value | number {
  return typeof value === "boolean" ? Number(value) : value;
}

/** Converts the values of one field to what lists compare. */
export interface ComparedField {
  readonly path: string;
  /** Returns the value that a record has in the field. Null if it has none. */
  of(record: object): ComparedValue;
  /** Converts a value, such as that of a filter. */
  from(value: string | number | boolean | null): ComparedValue;
}

/**
 * Returns how a field is compared: by its value, but a time by its seconds since 1970, since as text, times with different offsets have
 * another order.
 */
export function comparedField(path: string, isTime: boolean): ComparedField {
  const steps = stepsOf(path);
  const from = (value: unknown): ComparedValue => {
    if (isTime) return typeof value === "string" ? secondsOf(value) : null;
    if (typeof value === "object") return value === null ? null : JSON.stringify(value);
    return compared(value as string | number | boolean);
  };
  return { path, of: (record) => from(valueAt(record, steps)), from };
}

/** Returns how a field of a resource is compared. */
export function comparedFieldOf({ fields }: Pick<Resource, "fields">, path: string): ComparedField {
  return comparedField(path, isTimeAt(fields, path));
}

const timeForm = /^(\d{4})-(\d\d)-(\d\d)[t\s](\d\d):(\d\d):(\d\d)(\.\d+)?(?:z|([+-])(\d\d)(?::?(\d\d))?)?$/i;

/**
 * Returns the seconds since 1970 of a time in RFC 3339, with milliseconds. A leap second counts as the second before it. Returns null
 * for other text.
 */
export function secondsOf(text: string): number | null {
  const [match, year, month, day, hour, minute, second, fraction = "", sign, hours = 0, minutes = 0] = timeForm.exec(text) ?? [];
  if (!match) return null;
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const withinMinute = Math.floor((Math.min(Number(second), 59) + millisecondsIn(fraction) / 1000) * 1000 + 0.5);
  const ms = midnight + ((Number(hour) * 60 + Number(minute) - offset) * 60_000 + withinMinute);
  return Number.isNaN(ms) ? null : ms / 1000;
}

function millisecondsIn(fraction: string): number {
  return fraction === "" ? 0 : Math.min(Number(`0${fraction}`) * 1000, 999);
}
