import { type ParseArgsConfig, parseArgs } from "node:util";
import { parseWholeNumber } from "../config/whole-number";
import { asCalled } from "../project/executable";
import { messageOf } from "./logging";
import { tell } from "./terminal";

/** Thrown for wrong usage. The program prints the message and exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type FlagOptions = NonNullable<ParseArgsConfig["options"]>;

/**
 * Parses command-line arguments with `parseArgs` from `node:util`.
 *
 * @throws {UsageError} for an unknown option or a missing value.
 */
export function parseWords<const Options extends FlagOptions>(words: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(
      messageOf(error)
        .replace(/\n/g, " ")
        .replace(/(?<=\.) To specify a positional .*/, ""),
    );
  }
}

const helpFlag = { help: { type: "boolean", short: "h" } } as const;

/**
 * Parses command-line options, and accepts no positional arguments.
 *
 * @throws {UsageError} for an unknown option, a missing value or a positional argument.
 */
export function parseOptions<const Options extends FlagOptions>(words: readonly string[], options: Options) {
  const { values, positionals } = parseWords(words, { ...options, ...helpFlag });
  if (positionals.length > 0) throw new UsageError(`Unexpected argument "${positionals[0]}".`);
  return values;
}

/**
 * Parses the value of an option.
 *
 * @throws {UsageError} unless it is a whole number from `least` to `most`.
 */
export function wholeNumber(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = parseWholeNumber(text, least, most);
  if (value !== undefined) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new UsageError(`${option} ${text}: use a whole number ${range}.`);
}

/**
 * Runs a command as the whole work of this process. `--help` prints the help and exits with 0.
 *
 * @param run Receives the words of the command line. Resolves with the exit code: 0 done, 1 trouble. An error is printed on
 * standard error, and the process exits with 2 for a {@link UsageError}, otherwise with 1.
 */
export async function runCommand(help: string, run: (words: readonly string[]) => Promise<number> | number): Promise<never> {
  const words = process.argv.slice(2);
  // The reader of a pipe, such as `head`, may close it early.
  process.stdout.on("error", () => process.exit(0));
  helpIfAsked(words, help);
  try {
    process.exit(await run(words));
  } catch (error) {
    exitWith(error);
  }
}

/**
 * Reads the command line of a program that does more than {@link runCommand} should end, such as a server. `--help` prints the
 * help and exits with 0.
 *
 * @param read Parses the words. An error is printed, and the process exits as with {@link runCommand}.
 */
export function readCommandLine<T>(help: string, read: (words: readonly string[]) => T): T {
  const words = process.argv.slice(2);
  helpIfAsked(words, help);
  try {
    return read(words);
  } catch (error) {
    return exitWith(error);
  }
}

/** Prints an error and exits: with 2 for a {@link UsageError}, otherwise with 1. */
export function exitWith(error: unknown): never {
  if (error instanceof UsageError) {
    tell(`${error.message}\nRun with --help for usage.`);
    process.exit(2);
  }
  // Show an error in the program itself with its stack.
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  tell(isBug ? Bun.inspect(error) : messageOf(error));
  process.exit(1);
}

function helpIfAsked(words: readonly string[], help: string): void {
  if (!words.includes("--help") && !words.includes("-h")) return;
  console.log(asCalled(help));
  process.exit(0);
}
