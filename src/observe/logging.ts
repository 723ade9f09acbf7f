import pino, { type Logger } from "pino";
import type { LogFormat, LogLevel } from "../config/config";
import { LogStream } from "./log-stream";
import { secretFields, withoutSecrets } from "./secrets";

export type Log = Logger;

/**
 * A structured log: JSON lines, or readable ones for a person. It never fails or waits, and hides secrets.
 *
 * @param options.stream 1 is standard output, 2 is standard error: for programs whose output is data.
 * @param options.secrets never written, whatever a message or a stack has in it; nor is what stands before the @ of any
 * URL, nor any bearer token. Default: no others.
 */
export function createLog(options: { level: LogLevel; format: LogFormat; stream: 1 | 2; secrets?: readonly string[] }): Log {
  const { level, format, stream, secrets } = options;
  const toText = format === "pretty" ? prettyLines() : (line: string) => line;
  const hide = withoutSecrets(secrets);
  const lines = new LogStream(stream, (lost) => log.warn({ lines: lost }, "Lines of this log were lost: it could not be written"));
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields, censor: "***" },
    },
    { write: (line: string) => lines.write(toText(hide(line))) },
  );
  return log;
}

function prettyLines(): (line: string) => string {
  // Here and not above: where nobody reads along, it would be a tenth of the time that a start takes.
  const { prettyFactory } = require("pino-pretty") as typeof import("pino-pretty");
  return prettyFactory({ ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" });
}

/** The message of anything that was thrown. Never throws. */
export function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    // A failed connection to a name with several addresses is an AggregateError whose own message is empty.
    if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
    return String(error.message || error.name);
  } catch {
    return "Something was thrown that cannot be shown";
  }
}
