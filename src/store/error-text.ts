import { BrokenHook } from "../schema/hook";
import type { Mistake } from "../schema/mistakes";
import { Conflict, InvalidChange, InvalidRecord, RefusedChange } from "../schema/refused-change";
import { ChainTooLong } from "./cause";
import { Forbidden, RecordNotFound, StoreUnavailable, TransactionGaveUp } from "./errors";

/** An error of the store as JSON, to keep it or to send it to another process. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  /** Of a refused change. */
  readonly summary?: string;
  readonly mistakes?: readonly Mistake[];
}

const known = [
  ...[Conflict, InvalidChange, InvalidRecord, ChainTooLong, BrokenHook],
  ...[Forbidden, RecordNotFound, StoreUnavailable, TransactionGaveUp, TypeError],
];
const classes: ReadonlyMap<string, { readonly prototype: Error }> = new Map(known.map((one) => [one.name, one]));

/** Returns an error as JSON: what it says and of which class it is, but not where it was thrown. */
export function errorText(error: unknown): ErrorText {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  // A class that derives from a known one, such as StoreReplaced, is that one.
  const name = [...classes].find(([, one]) => error instanceof (one as unknown as new () => Error))?.[0] ?? error.name;
  const { message } = error;
  return error instanceof RefusedChange ? { name, message, summary: error.summary, mistakes: error.mistakes } : { name, message };
}

/** Returns the error of a text, of the same class if it is one of the store. */
export function errorFrom({ name, message, summary, mistakes }: ErrorText): Error {
  const error = Object.create((classes.get(name) ?? Error).prototype) as Error;
  const parts = { name, message, ...(summary !== undefined && { summary, mistakes: mistakes ?? [] }) };
  for (const [key, value] of Object.entries(parts)) Object.defineProperty(error, key, { value, configurable: true, writable: true });
  Error.captureStackTrace(error, errorFrom);
  return error;
}
