import type { Logger } from "pino";
import type { LogFormat, LogLevel } from "../config/config";
import { LogStream } from "./log-stream";
import { secretFields, withoutSecrets } from "./secrets";
import { printable } from "./terminal";

export type Log = Logger;

/**
 * Creates a structured log: JSON lines, or readable lines for a terminal. It never throws or blocks, hides secrets, and escapes control
 * characters that a terminal would interpret.
 *
 * @param options.stream 1 for standard output, 2 for standard error. Use 2 for programs whose output is data.
 * @param options.secrets Values never written, wherever they occur in a message or a stack. Credentials and queries in URLs, HTTP
 * credentials and webhook secrets are always hidden. Default: none.
 */
export function createLog(options: { level: LogLevel; format: LogFormat; stream: 1 | 2; secrets?: readonly string[] }): Log {
  const { level, format, stream, secrets } = options;
  const toText = format === "pretty" ? prettyLines() : (line: string) => `${line}\n`;
  const hide = withoutSecrets(secrets);
  // Loaded on demand: commands have no log, and neither has what decides how the API starts.
  const { pino } = require("pino") as typeof import("pino");
  const lines = new LogStream(stream, (lost) => log.warn({ lines: lost }, "Log lines were lost because the log could not be written"));
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields, censor: "***" },
    },
    { write: (line: string) => lines.write(toText(printable(hide(line.trimEnd())))) },
  );
  return log;
}

function prettyLines(): (line: string) => string {
  // Loaded on demand: it slows down startup, and JSON logs do not need it.
  const { prettyFactory } = require("pino-pretty") as typeof import("pino-pretty");
  const pretty = prettyFactory({ ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" });
  return (line) => pretty(line.replace(jsonEscape, literal));
}

const jsonEscape = /\\(u[\da-f]{4}|.)/gi;
const short: Readonly<Record<string, string>> = { b: "u0008", f: "u000c", r: "u000d" };

/** Double-escapes a JSON escape whose character a terminal would interpret, so that it stays an escape after parsing. Keeps line breaks. */
function literal(escaped: string, what: string): string {
  const code = short[what] ?? what;
  const isObeyed = /^u[\da-f]{4}$/i.test(code) && printable(String.fromCharCode(Number.parseInt(code.slice(1), 16))).length > 1;
  return isObeyed ? `\\\\${code}` : escaped;
}

/** Returns the message of any thrown value. Never throws. */
export function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    // A failed connection to a name with several addresses is an AggregateError with an empty message.
    if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
    return String(error.message || error.name);
  } catch {
    return "A value that cannot be printed was thrown";
  }
}
