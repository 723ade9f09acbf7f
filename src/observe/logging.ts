import pino, { type Logger } from "pino";
import type { LogFormat, LogLevel } from "../config/config";
import { LogStream } from "./log-stream";
import { secretFields, withoutSecrets } from "./secrets";
import { printable } from "./terminal";

export type Log = Logger;

/**
 * A structured log: JSON lines, or readable ones for a person. It never fails or waits, hides secrets, and has nothing in it
 * that a terminal would obey.
 *
 * @param options.stream 1 is standard output, 2 is standard error: for programs whose output is data.
 * @param options.secrets never written, whatever a message or a stack has in it; nor is what stands before the @ of any
 * URL, nor any bearer token. Default: no others.
 */
export function createLog(options: { level: LogLevel; format: LogFormat; stream: 1 | 2; secrets?: readonly string[] }): Log {
  const { level, format, stream, secrets } = options;
  const toText = format === "pretty" ? prettyLines() : (line: string) => `${line}\n`;
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
    { write: (line: string) => lines.write(toText(printable(hide(line.trimEnd())))) },
  );
  return log;
}

function prettyLines(): (line: string) => string {
  // Here and not above: where nobody reads along, it would be a tenth of the time that a start takes.
  const { prettyFactory } = require("pino-pretty") as typeof import("pino-pretty");
  const pretty = prettyFactory({ ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" });
  return (line) => pretty(line.replace(jsonEscape, literal));
}

const jsonEscape = /\\(u[\da-f]{4}|.)/gi;
const short: Readonly<Record<string, string>> = { b: "u0008", f: "u000c", r: "u000d" };

/** An escape within JSON that stays one when the JSON is read, where a terminal would obey the character. Lines stay lines. */
function literal(escaped: string, what: string): string {
  const code = short[what] ?? what;
  const isObeyed = /^u[\da-f]{4}$/i.test(code) && printable(String.fromCharCode(Number.parseInt(code.slice(1), 16))).length > 1;
  return isObeyed ? `\\\\${code}` : escaped;
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
