import { clock, minute } from "../words";
import { areaOf, chartSize, lineOf, round, type Series, scaleOf } from "./lines";

const { width, height } = chartSize;
/** Below this period, minutes alone would say the same twice, in milliseconds. */
const shortMs = 6 * 60_000;

interface ChartProps {
  readonly lines: readonly { readonly kind: "line-1" | "line-2"; readonly values: Series }[];
  readonly bars: Series;
  /** The start and the end of what is shown. */
  readonly from: Date;
  readonly to: Date;
  readonly label: string;
}

/** Lines over time, with bars at the bottom. It follows the theme by its style sheet. */
export function Chart({ lines, bars, from, to, label }: ChartProps) {
  const greatest = Math.max(...[...lines.map(({ values }) => values), bars].flat().map((value) => value ?? 0));
  const top = scaleOf(greatest);
  const spanMs = to.getTime() - from.getTime();
  const isShort = spanMs < shortMs;
  const shares = isShort ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.2, 0.4, 0.6, 0.8, 1];
  const marks = shares.map((share) => new Date(from.getTime() + share * spanMs));
  const barWidth = Math.max(2, (width / Math.max(1, bars.length)) * 0.7);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {[0, 1, 2, 3, 4].map((row) => (
          <line key={row} class="grid" x1="0" x2={width} y1={(row * height) / 4} y2={(row * height) / 4} />
        ))}
        {lines.slice(0, 1).map(({ values }) => (
          <path key="area" class="area-1" d={areaOf(values, top)} />
        ))}
        {[...lines].reverse().map(({ kind, values }) => (
          <path key={kind} class={kind} d={lineOf(values, top)} />
        ))}
        <g class="bars">
          {bars.map((value, index) =>
            value ? (
              <rect
                key={index}
                x={round((index / bars.length) * width)}
                y={round(height - (value / top) * height)}
                width={round(barWidth)}
                height={round((value / top) * height)}
              />
            ) : null,
          )}
        </g>
      </svg>
      <div class="y" aria-hidden="true">
        {[4, 3, 2, 1, 0].map((part) => (
          <span key={part}>{shown((top * part) / 4)}</span>
        ))}
      </div>
      <div class={isShort ? "x short" : "x"} aria-hidden="true">
        {marks.map((mark) => (
          <span key={mark.getTime()}>{isShort ? clock(mark).slice(0, 8) : minute(mark)}</span>
        ))}
      </div>
    </figure>
  );
}

/** Waiting events over time, without a scale. */
export function Spark({ values, isBad }: { values: Series; isBad: boolean }) {
  const top = Math.max(1, ...values.map((value) => value ?? 0));
  return (
    <svg class={`spark ${isBad ? "bad" : ""}`} viewBox="0 0 84 22" preserveAspectRatio="none" aria-hidden="true">
      <path d={lineOf(values, top, { width: 84, height: 20 })} transform="translate(0 1)" />
    </svg>
  );
}

function shown(value: number): string {
  return value >= 10_000 ? `${round(value / 1000)}k` : String(Math.round(value * 100) / 100);
}
