import pino from "pino";
import type { Log } from "../../src/observe/logging";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** Creates a log of the program's own kind, kept in memory. */
export function recordedLog(): { log: Log; lines: LogLine[]; at(level: string): string[] } {
  const lines: LogLine[] = [];
  const log = pino(
    { level: "trace", base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) },
  );
  return { log, lines, at: (level) => lines.filter((line) => line.level === level).map((line) => line.msg) };
}
