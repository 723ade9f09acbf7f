import { fstatSync } from "node:fs";

// Functions that show values to users.

/** Characters that move the cursor, end a line or reverse text: C0, DEL, C1, line separators, and Unicode's bidirectional controls. */
const obeyed = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Escapes the characters in untrusted text that a terminal would interpret. Within JSON, the escapes keep the text's meaning. */
export function printable(text: string): string {
  return text.replace(obeyed, escaped);
}

/** Same as {@link printable}, for text with several lines. Returns the lines. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => printable(line.replaceAll("\t", "    ")));
}

/** Writes a message to standard error. `console.error` would color it red. */
export function tell(text: string): void {
  process.stderr.write(`${printableLines(text).join("\n")}\n`);
}

/** Formats a time as `2026-02-18 18:23:45`, in this machine's time zone. */
export function localTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/**
 * Returns whether standard output (1) or standard error (2) goes to a terminal. Asks `process.stdout` about a device only, because that
 * loads Node's streams.
 */
export function isTerminal(fd: 1 | 2): boolean {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    // It is closed.
    return false;
  }
  return Boolean((fd === 1 ? process.stdout : process.stderr).isTTY);
}
