import type { ReplaySelection } from "../delivery/replay-selection";
import type { LogFollower } from "../store/sqlite/log-follower";
import { zonedTime } from "./text";

/** A part of the log that is to go to a queue. */
export interface Replaying {
  readonly queue: string;
  readonly selection: ReplaySelection;
  readonly log: LogFollower;
  /** What comes after this position, */
  readonly after: number;
  /** up to this one. */
  readonly last: number;
  /** The words of this command that say the same, but for the positions. */
  readonly words: readonly string[];
}

/** What was understood, for a person. */
export function described(
  { types, subject, from, to, rate }: ReplaySelection,
  { after, last }: { after: number | undefined; last: number | undefined },
): string {
  const begin = [
    ...(from === null ? [] : [`from ${zonedTime(new Date(from))}`]),
    ...(after === undefined ? [] : [`after position ${after}`]),
  ];
  const end = [...(to === null ? [] : [`to before ${zonedTime(new Date(to))}`]), ...(last === undefined ? [] : [`up to position ${last}`])];
  return [
    types === null ? "all events" : types.join(", "),
    ...(subject === null ? [] : [`of the record ${subject}`]),
    ...(begin.length > 0 ? begin : ["from the first one"]),
    ...(end.length > 0 ? end : ["up to now"]),
    ...(rate === null ? [] : [`at ${rate} a second at most`]),
  ].join(" ");
}
