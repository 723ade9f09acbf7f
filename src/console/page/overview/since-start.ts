import type { History } from "../answers";
import type { Series } from "./lines";

/** Points that are shown at least. */
const leastPoints = 20;

export interface Flows {
  readonly from: Date;
  readonly to: Date;
  readonly committed: Series;
  readonly confirmed: Series;
  readonly handled: Series;
  readonly failed: Series;
}

/**
 * Returns the part of a history since its process started, which knows nothing of the time before. A second of which it says nothing is
 * one in which nothing was committed.
 */
export function sinceStart(history: History, startedAt: string): Flows {
  const { committed, confirmed, handled, failed, stepSeconds } = history;
  const stepMs = stepSeconds * 1000;
  const begun = Math.floor((Date.parse(startedAt) - Date.parse(history.from)) / stepMs);
  const cut = Math.max(0, Math.min(begun, committed.length - leastPoints));
  const filled = (values: Series) => values.map((value, index) => value ?? (index >= begun ? 0 : null)).slice(cut, -1);
  // The last step is not over, so its rates are still too low.
  return {
    from: new Date(Date.parse(history.from) + cut * stepMs),
    to: new Date(Date.parse(history.to) - stepMs),
    committed: filled(committed),
    confirmed: filled(confirmed),
    handled: handled.slice(cut, -1),
    failed: failed.slice(cut, -1),
  };
}

/** Returns the part of a series since it was first observed, with some points before it if there are few. */
export function sinceObserved(values: Series): Series {
  const first = values.findIndex((value) => value !== null);
  return first === -1 ? values : values.slice(Math.max(0, Math.min(first, values.length - leastPoints)));
}
