// The lines of a chart, as paths of SVG.

/** One value per point; null where nothing was observed. */
export type Series = readonly (number | null)[];

/** The units of a chart. It stretches to the room that it has. */
export const chartSize = { width: 900, height: 176 };

/** Returns the smallest of 1, 2, 2.5 and 5 times a power of ten, times four, that is not below the greatest value. */
export function scaleOf(greatest: number): number {
  const step = 10 ** Math.floor(Math.log10(Math.max(greatest, 0.4) / 4));
  const factor = [1, 2, 2.5, 5, 10].find((each) => each * step * 4 >= greatest) ?? 10;
  return factor * step * 4;
}

/** Returns the path of a line. It has gaps where nothing was observed. */
export function lineOf(values: Series, top: number, { width, height } = chartSize): string {
  const last = Math.max(1, values.length - 1);
  let isDrawing = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDrawing = false;
        return "";
      }
      const point = `${isDrawing ? "L" : "M"}${round((index / last) * width)} ${round(height - (Math.min(value, top) / top) * height)}`;
      isDrawing = true;
      return point;
    })
    .join("");
}

/** The area below a line, in a part for each stretch that was observed. */
export function areaOf(values: Series, top: number): string {
  const line = lineOf(values, top);
  return line
    .split(/(?=M)/)
    .filter(Boolean)
    .map((part) => {
      const xs = [...part.matchAll(/[ML](-?[\d.]+)/g)].map(([, x]) => x);
      return `${part}L${xs.at(-1)} ${chartSize.height}L${xs[0]} ${chartSize.height}Z`;
    })
    .join("");
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
