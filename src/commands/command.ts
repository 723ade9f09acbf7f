import { UsageError, usageText } from "../observe/command-line";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";

/** An error with a message that lets the user fix it; exit code 1. */
export class Trouble extends Error {
  override readonly name = "Trouble";
}

/** Exit code after Ctrl+C. */
export const interrupted = 130;

/**
 * Runs a command as the whole work of this process.
 *
 * @param run Resolves with the exit code: 0 done, 1 trouble. Errors are printed on standard error.
 */
export async function runCommand(help: string, run: (words: readonly string[]) => Promise<number>): Promise<never> {
  const words = process.argv.slice(2);
  // The reader of a pipe, such as `head`, may close it early.
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
    // Show an error in the program itself with its stack.
    const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
    tell(isBug ? Bun.inspect(error) : messageOf(error));
    process.exit(1);
  }
}

/** Calls `stop` on the first Ctrl+C or SIGTERM; exits at once on the second. */
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

/**
 * Parses the value of an option.
 *
 * @throws {UsageError} unless it is a whole number from `least` to `most`.
 */
export function wholeNumber(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new UsageError(`${option} ${text}: use a whole number ${range}.`);
}

/** Quotes arguments for a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
