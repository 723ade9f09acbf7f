import pino, { type Logger } from "pino";
import pretty from "pino-pretty";
import type { LogFormat, LogLevel } from "../config";

export type Log = Logger;

/**
 * A structured log: JSON lines, or readable ones for a person.
 *
 * @param options.stream 1 is standard output, 2 is standard error: for programs whose output is data.
 * @param options.secrets never written, whatever a message or a stack has in it; nor is what stands before the @ of any
 * URL, nor any bearer token. Default: no others.
 */
export function createLog(options: { level: LogLevel; format: LogFormat; stream: 1 | 2; secrets?: readonly string[] }): Log {
  const { level, format, stream, secrets } = options;
  const destination =
    format === "pretty"
      ? pretty({ destination: stream, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" })
      : pino.destination({ dest: stream, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redactor(secrets) },
    },
    destination,
  );
}

/** Takes secrets out of a line of the log, which is JSON. */
export function redactor(secrets: readonly string[] = []): (line: string) => string {
  const written = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) =>
    written.reduce(
      (rest, secret) => rest.replaceAll(secret, "***"),
      line.replace(/([a-z]:\/\/)[^\s/@"]+@/gi, "$1***@").replace(/(Bearer +)[\w.~+/-]{8,}=*/gi, "$1***"),
    );
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A failed connection to a name with several addresses is an AggregateError whose own message is empty.
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
  return error.message || error.name;
}
