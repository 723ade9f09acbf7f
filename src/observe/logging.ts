import pino, { type Logger } from "pino";
import pretty from "pino-pretty";
import type { LogFormat, LogLevel } from "../config";

export type Log = Logger;

/**
 * A structured log: JSON lines, or readable ones for a person.
 *
 * @param stream 1 is standard output, 2 is standard error: for programs whose output is data.
 */
export function createLog(options: { level: LogLevel; format: LogFormat; stream: 1 | 2 }): Log {
  const { level, format, stream } = options;
  const destination =
    format === "pretty"
      ? pretty({ destination: stream, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" })
      : pino.destination({ dest: stream, sync: true });
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A failed connection to a name with several addresses is an AggregateError whose own message is empty.
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
  return error.message || error.name;
}
