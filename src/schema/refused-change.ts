import { listMistakes } from "./check";
import type { Mistake } from "./mistakes";

/** A change was refused. Nothing changed. */
export abstract class RefusedChange extends Error {
  constructor(
    /** A sentence that describes the error without the mistakes. */
    readonly summary: string,
    /** The mistakes, each with its place in the record, or in the data of an event. */
    readonly mistakes: readonly Mistake[] = [],
  ) {
    super(mistakes.length > 0 ? `${summary} ${listMistakes(mistakes)}` : summary);
  }
}

/** The change would write what no consumer could read: its route accepts what the schema does not. */
export class InvalidChange extends RefusedChange {
  override readonly name = "InvalidChange";
}

/** The record would break a rule, or refer to a record that does not exist. */
export class InvalidRecord extends RefusedChange {
  override readonly name = "InvalidRecord";
}

/**
 * The change is not possible in the state that the record, or another one, is in. Throw it in a change to refuse the request
 * with 409.
 *
 * @example
 * throw new Conflict("The order is paid.");
 */
export class Conflict extends RefusedChange {
  override readonly name = "Conflict";
}

/** Runs a change of one of several records. If it is refused, puts the record's index before each place. */
export function inList<T>(index: number, change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof RefusedChange)) throw error;
    const mistakes = error.mistakes.map(({ pointer, detail }) => ({ pointer: `/${index}${pointer}`, detail }));
    const Same = error.constructor as new (summary: string, mistakes: readonly Mistake[]) => RefusedChange;
    throw new Same(error.summary, mistakes);
  }
}
