import type { Aim, Sample } from "./benchmark";
import { aimText, compare, format, limited, type Result, summarize } from "./rounds";

/** Formats the result as a text table: one line per contender, then the comparisons. */
export function resultTable(result: Result): string {
  const { title, columns, warren, baseline } = result.benchmark;
  const rows = [
    ["", ...columns.flatMap(({ label }, index) => (index === 0 ? [label, "spread"] : [label]))],
    ...(
      [
        [warren.name, result.warren],
        [baseline.name, result.baseline],
      ] as const
    ).map(([name, samples]) => {
      const { medians, spread } = summarize(result, samples);
      const cells = columns.map(({ key, digits }) => format(medians[key], digits));
      return [name, cells[0] ?? "", `${format(spread * 100, 0)} %`, ...cells.slice(1)];
    }),
  ];
  const comparisons = compare(result).map(
    ({ column, aim, ratio, met }) => `  ${warren.name} / ${baseline.name}, ${column.label}: ${format(ratio, 2)}   ${aimed(aim, 2, met)}`,
  );
  const limits = limited(result).map(
    ({ column: { label, digits }, limit, value, met }) =>
      `  ${warren.name}, ${label}: ${format(value, digits)}   ${aimed(limit, digits, met)}`,
  );
  return [title, textTable(rows), ...comparisons, ...limits].join("\n");
}

/** Formats rows as lines whose cells are aligned: the first one on the left, the others on the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("   "),
  );
  return lines.map((line) => `  ${line.trimEnd()}`).join("\n");
}

function aimed(aim: Aim, digits: number, met: boolean): string {
  return `aim: ${aimText(aim, digits)}, ${met ? "met" : "missed"}`;
}

/** Result of a benchmark as JSON: medians, and the measurements of every round. */
export interface ResultJson {
  readonly name: string;
  readonly headline: string;
  readonly comparisons: readonly { readonly key: string; readonly ratio: number; readonly aim: Aim; readonly met: boolean }[];
  readonly limits: readonly { readonly key: string; readonly value: number; readonly limit: Aim; readonly met: boolean }[];
  readonly contenders: Readonly<
    Record<string, { readonly medians: Sample; readonly spread: number; readonly rounds: readonly Sample[] } | undefined>
  >;
}

export function resultJson(result: Result): ResultJson {
  const { name, columns, warren, baseline } = result.benchmark;
  return {
    name,
    headline: columns[0].key,
    comparisons: compare(result).map(({ column, aim, ratio, met }) => ({ key: column.key, ratio, aim, met })),
    limits: limited(result).map(({ column, limit, value, met }) => ({ key: column.key, value, limit, met })),
    contenders: {
      [warren.name]: { ...summarize(result, result.warren), rounds: result.warren },
      [baseline.name]: { ...summarize(result, result.baseline), rounds: result.baseline },
    },
  };
}
