import type { ReplaySelection } from "../delivery/replay-selection";
import type { LogFollower } from "../store/log-follower";
import { zonedTime } from "./text";

/** Part of the log to send to a queue. */
export interface Replaying {
  readonly queue: string;
  readonly selection: ReplaySelection;
  readonly log: LogFollower;
  /** Sends events after this position. */
  readonly after: number;
  /** Sends events up to and including this position. */
  readonly last: number;
  /** Arguments of a command that repeats this replay, without the positions. */
  readonly words: readonly string[];
}

/** Describes a replay for the user. */
export function described(
  { types, subject, from, to, rate }: ReplaySelection,
  { after, last }: { after: number | undefined; last: number | undefined },
): string {
  const begin = [
    ...(from === null ? [] : [`from ${zonedTime(new Date(from))}`]),
    ...(after === undefined ? [] : [`after position ${after}`]),
  ];
  const end = [...(to === null ? [] : [`until ${zonedTime(new Date(to))}`]), ...(last === undefined ? [] : [`up to position ${last}`])];
  return [
    types === null ? "all events" : types.join(", "),
    ...(subject === null ? [] : [`of record ${subject}`]),
    ...(begin.length > 0 ? begin : ["from the beginning"]),
    ...(end.length > 0 ? end : ["up to now"]),
    ...(rate === null ? [] : [`at most ${rate} per second`]),
  ].join(" ");
}
