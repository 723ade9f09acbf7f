// The axis of a timeline: 2 ms and 7.6 s must both be readable, and 0 must have a place. So it is logarithmic in 1 ms + the time.

const [left, right] = [1.5, 97.5];

const ticks = [
  { ms: 0, label: "0" },
  { ms: 1, label: "1 ms" },
  { ms: 10, label: "10 ms" },
  { ms: 100, label: "100 ms" },
  { ms: 1000, label: "1 s" },
  { ms: 10_000, label: "10 s" },
  { ms: 60_000, label: "1 min" },
  { ms: 600_000, label: "10 min" },
  { ms: 3_600_000, label: "1 h" },
  { ms: 86_400_000, label: "1 day" },
  { ms: 864_000_000, label: "10 days" },
  { ms: 8_640_000_000, label: "100 days" },
];

export interface Scale {
  /** Returns the place of a time after the start, in percent of the width. */
  readonly at: (ms: number) => number;
  readonly ticks: readonly { readonly label: string; readonly at: number; readonly hasLabel: boolean }[];
}

/** Labels that are closer than this would touch, in percent of the width. */
const leastGap = 6.5;

/** Returns the scale for times up to the longest. It ends at the next mark, but has a few of them in any case. */
export function scaleFor(longestMs: number): Scale {
  const end = ticks.findIndex(({ ms }) => ms >= longestMs);
  const shown = ticks.slice(0, Math.max(3, end === -1 ? ticks.length : end + 1));
  const most = Math.max(longestMs, shown.at(-1)?.ms ?? 0);
  const at = (ms: number) => left + (Math.log10(1 + Math.max(0, ms)) / Math.log10(1 + most)) * (right - left);
  let labelled = Number.NEGATIVE_INFINITY;
  return {
    at,
    ticks: shown.map(({ ms, label }) => {
      const hasLabel = at(ms) - labelled >= leastGap;
      if (hasLabel) labelled = at(ms);
      return { label, at: at(ms), hasLabel };
    }),
  };
}
