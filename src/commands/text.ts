import { duration } from "../observe/amounts";
import { localTime, printableLines } from "../observe/terminal";

/** Formats a value as JSON, with the characters escaped that a terminal would interpret. */
export function printableJson(value: unknown): string {
  return printableLines(JSON.stringify(value, null, 2)).join("\n");
}

export type Paint = (style: keyof typeof styles, text: string) => string;
const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export function painter(colour: boolean): Paint {
  return colour ? (style, text) => `\x1b[${styles[style]}m${text}\x1b[0m` : (_, text) => text;
}

/** Formats the time that something took. */
export function took(ms: number): string {
  return ms < 1000 ? "less than a second" : duration(ms);
}

/** Formats a time as `2026-11-01 08:00:00 +01:00`, in this machine's time zone. */
export function zonedTime(time: Date): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const offset = -time.getTimezoneOffset();
  const minutes = Math.abs(offset);
  return `${localTime(time)} ${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
