import type { Paint } from "./text";

export interface Column {
  readonly title: string;
  readonly align?: "right";
}

const gap = "  ";
const leastWidth = 12;

/**
 * Formats rows under titles, in aligned columns.
 *
 * @param width Total width to which the last column is cut; undefined to cut nothing.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint, width?: number): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(...[title, ...rows.map((row) => row[index] ?? "")].map((cell) => Bun.stringWidth(cell))),
  );
  const last = widths.length - 1;
  if (width !== undefined) {
    const before = widths.slice(0, last).reduce((sum, each) => sum + each + gap.length, 0);
    widths[last] = Math.max(leastWidth, Math.min(widths[last] ?? 0, width - before));
  }
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = cut(cells[index] ?? "", widths[index] ?? 0);
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - Bun.stringWidth(cell)));
        return align === "right" ? padding + cell : cell + padding;
      })
      .join(gap)
      .trimEnd();
  return [paint("bold", line(columns.map(({ title }) => title))), ...rows.map(line)].join("\n");
}

/** Cuts text to a number of terminal columns. */
export function cut(text: string, width: number): string {
  return Bun.stringWidth(text) <= width ? text : Bun.sliceAnsi(text, 0, width, { ellipsis: "…" });
}
