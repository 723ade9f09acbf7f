/** A chart of horizontal bars, one below the other. */
export interface BarChart {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Words for the shades, in their order. Empty if there is only one. */
  readonly legend: readonly string[];
}

export interface Bar {
  readonly label: string;
  /** Lengths of the parts from the left, in the shades of the legend. */
  readonly parts: readonly number[];
  /** Shown at the end of the bar. */
  readonly text: string;
}

const [width, left, right, top, row, thickness] = [860, 310, 170, 34, 26, 16];
const colours = ["#3b82c4", "#e0933a", "#8a63b8"];

/** Draws a chart as SVG, in colours that can be read on light and dark pages alike. */
export function barChart({ title, bars, legend }: BarChart): string {
  const longest = Math.max(...bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0)));
  const scale = (width - left - right) / longest;
  const height = top + bars.length * row + (legend.length > 0 ? row : 0) + 6;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    "<style>text { font: 13px system-ui, sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #a9b1ba } }</style>",
    `<text x="0" y="18" font-weight="600">${escaped(title)}</text>`,
    ...bars.flatMap((bar, index) => drawn(bar, top + index * row, scale)),
    ...legend.flatMap((label, shade) => entry(label, shade, top + bars.length * row, legend)),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

function drawn({ label, parts, text }: Bar, y: number, scale: number): string[] {
  let x = left;
  const rectangles = parts.map((part, shade) => {
    const from = x;
    x += part * scale;
    return rectangle(from, y + 3, part * scale, shade);
  });
  return [
    `<text x="${left - 10}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>`,
    ...rectangles,
    `<text x="${fixed(x + 8)}" y="${y + 16}">${escaped(text)}</text>`,
  ];
}

function entry(label: string, shade: number, y: number, legend: readonly string[]): string[] {
  // An approximate width of the text: SVG alone cannot measure it.
  const x = left + legend.slice(0, shade).reduce((sum, { length }) => sum + 36 + length * 7.5, 0);
  return [rectangle(x, y + 3, thickness, shade), `<text x="${x + thickness + 6}" y="${y + 16}">${escaped(label)}</text>`];
}

function rectangle(x: number, y: number, length: number, shade: number): string {
  return `<rect x="${fixed(x)}" y="${y}" width="${fixed(length)}" height="${thickness}" fill="${colours[shade]}"/>`;
}

const fixed = (value: number) => value.toFixed(1);

const escaped = (text: string) => Bun.escapeHTML(text);
