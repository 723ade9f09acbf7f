import type { Graph } from "./graph";

/** Height of a row, and of a node in it, in pixels. */
const [rowHeight, nodeHeight] = [58, 46];
/** Left edges of the columns, and their width, in percent of the diagram's width. There is room for words before and after queues. */
export const columns = [0, 23, 52, 81] as const;
export const columnWidth = 19;

/** A node's column, and the middle of its height in pixels. */
export interface Place {
  readonly column: 0 | 1 | 2 | 3;
  readonly middle: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  readonly lines: readonly { readonly from: string; readonly to: string; readonly path: string }[];
  readonly height: number;
}

/** Arranges a graph in four columns. Each queue is beside its consumers. */
export function layoutOf({ resources, exchanges, queues, ways }: Graph): Layout {
  const rowsOf = queues.map(({ consumers }) => Math.max(1, consumers.length));
  const ends = rowsOf.reduce((sum, rows) => sum + rows, 0);
  const height = Math.max(1, resources.length, exchanges.length, ends) * rowHeight;
  const places = new Map<string, Place>();
  const put = (column: Place["column"], nodes: readonly { readonly id: string }[]) => {
    const top = (height - nodes.length * rowHeight) / 2;
    for (const [index, { id }] of nodes.entries()) places.set(id, { column, middle: top + (index + 0.5) * rowHeight });
  };
  put(0, resources);
  put(1, exchanges);
  let row = (height / rowHeight - ends) / 2;
  for (const [index, { id, consumers }] of queues.entries()) {
    const rows = rowsOf[index] ?? 1;
    places.set(id, { column: 2, middle: (row + rows / 2) * rowHeight });
    for (const [below, consumer] of consumers.entries()) places.set(consumer.id, { column: 3, middle: (row + below + 0.5) * rowHeight });
    row += rows;
  }
  const steps = new Map(ways.flatMap((way) => way.slice(1).map((to, index) => [`${way[index]}>${to}`, { from: way[index] ?? "", to }])));
  const lines = [...steps.values()].flatMap(({ from, to }) => {
    const [start, end] = [places.get(from), places.get(to)];
    return start && end ? [{ from, to, path: pathOf(start, end) }] : [];
  });
  return { places, lines, height };
}

/** Returns the top of a node, in pixels. */
export function topOf({ middle }: Place): number {
  return middle - nodeHeight / 2;
}

/** A line is straight where words are on it: before queues, and after them. */
function pathOf(start: Place, end: Place): string {
  const [left, right] = [columns[start.column] + columnWidth, columns[end.column]];
  const bend = (right - left) * (end.column === 1 ? 1 : 0.4);
  const [from, to] = end.column === 3 ? [right - bend, right] : [left, left + bend];
  const half = (from + to) / 2;
  return `M${left} ${start.middle}H${from}C${half} ${start.middle} ${half} ${end.middle} ${to} ${end.middle}H${right}`;
}
