import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { codeOf } from "../../../observe/error-code";

// Beside the database of a consumer, and not in it: a report would wake those who wait for what the consumer has written.

/** Replaces the report of a consumer. Only this user can read it. A reader finds either the old or the new one. */
export function writeReport(file: string, text: string): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, text, { mode: 0o600 });
  renameSync(next, file);
}

/** Returns the report of a consumer, or undefined if there is none. */
export function readReport(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
