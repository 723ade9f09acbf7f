import type { Progress, RunResult } from "./run";

const columns = [
  { title: "fault", width: 22 },
  { title: "transport", width: 9 },
  { title: "strikes", width: 9 },
  { title: "acknowledged", width: 12 },
  { title: "unknown", width: 7 },
  { title: "handled", width: 9 },
  { title: "duplicates", width: 10 },
  { title: "lost", width: 4 },
  { title: "seconds", width: 7 },
  { title: "verdict", width: 0 },
] as const;

/** Formats a row. The first two cells are text; the others are right-aligned. */
function line(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, index) => {
      const width = columns[index]?.width ?? 0;
      return index < 2 ? String(cell).padEnd(width) : String(cell).padStart(width);
    })
    .join("  ")
    .trimEnd();
}

export const header = line(columns.map(({ title }) => title));

/** Formats the row of a run in progress. */
export function progressLine(fault: string, transport: string, strikes: number, progress: Progress): string {
  return line([fault, transport, `${progress.strikes}/${strikes}`, progress.acknowledged, "", "", "", "", "", "…"]);
}

/** Formats the row of a finished run, followed by its violations. */
export function resultLines({ fault, transport, strikes, seconds, figures, violations }: RunResult): string[] {
  const { acknowledged, unknown, handled, duplicates, lost } = figures;
  const verdict = violations.length === 0 ? "ok" : "VIOLATED";
  return [
    line([fault, transport, strikes, acknowledged, unknown, handled, duplicates, lost, seconds.toFixed(1), verdict]),
    ...violations.map(({ name, count, example }) => `  ${name}, ${count} times, such as: ${example}`),
  ];
}

/** Formats the totals of all runs. */
export function summary(results: readonly RunResult[], seed: number, leftOut: readonly string[]): string[] {
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const violated = results.filter(({ violations }) => violations.length > 0);
  return [
    `${results.length} runs, ${sum(({ strikes }) => strikes)} strikes in ${Math.round(sum(({ seconds }) => seconds))} s: ` +
      `${sum(({ figures }) => figures.attempts)} changes attempted, ${sum(({ figures }) => figures.acknowledged)} acknowledged, ` +
      `${sum(({ figures }) => figures.unknown)} unknown; ${sum(({ figures }) => figures.handled)} events handled, ` +
      `${sum(({ figures }) => figures.duplicates)} of them again, ${sum(({ figures }) => figures.lost)} lost.`,
    ...leftOut.map((text) => `Left out: ${text}`),
    violated.length === 0 ? "No guarantee was broken." : `${violated.length} runs broke a guarantee.`,
    `--seed ${seed}`,
  ];
}
