import { UsageError, usageText } from "../observe/command-line";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";

/** Something that a person can do something about, said in a sentence; exit code 1. */
export class Trouble extends Error {
  override readonly name = "Trouble";
}

/** Ctrl+C, where there was nothing to tell. */
export const interrupted = 130;

/**
 * Runs a command as this process's whole work.
 *
 * @param run answers the exit code: 0 done, 1 trouble. What it throws is said on standard error.
 */
export async function runCommand(help: string, run: (words: readonly string[]) => Promise<number>): Promise<never> {
  const words = process.argv.slice(2);
  // The reader of a pipe may have enough, as `head` does.
  process.stdout.on("error", () => process.exit(0));
  if (words.includes("--help") || words.includes("-h")) {
    console.log(help);
    process.exit(0);
  }
  try {
    process.exit(await run(words));
  } catch (error) {
    if (error instanceof UsageError) {
      tell(usageText(error));
      process.exit(2);
    }
    // A mistake of the program's own is shown with its place.
    const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
    tell(isBug ? Bun.inspect(error) : messageOf(error));
    process.exit(1);
  }
}

/** The first Ctrl+C or SIGTERM stops well, the second one at once. */
export function onInterrupt(stop: () => void): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(interrupted);
    stopping = true;
    stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** @throws {UsageError} unless it is a whole number from `least` to `most`. */
export function wholeNumber(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`${option} ${text}: use a whole number ${range}.`);
}

/** Words as a shell takes them. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
