import { steadyNow } from "../../../timing/clock";

/** The clock of the database, in milliseconds since 1970. All processes of a queue share it. */
export const databaseNow = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/**
 * Returns how far a time is from now, in milliseconds, to be added to the clock of the database.
 *
 * @param at by {@link steadyNow}.
 */
export function fromNow(at: number): number {
  return Math.round(at - steadyNow());
}
