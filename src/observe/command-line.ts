import { type ParseArgsConfig, parseArgs } from "node:util";
import { messageOf } from "./logging";
import { tell } from "./terminal";

/** Thrown for wrong usage. Programs print {@link usageText} and exit with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function usageText({ message }: UsageError): string {
  return `${message}\nRun it with --help for its usage.`;
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

/** Reads the options of a program that accepts nothing else. `--help` prints the help and exits with 0. Wrong usage exits with 2. */
export function readOptions<const Options extends FlagOptions>(words: readonly string[], help: string, options: Options) {
  if (words.includes("--help") || words.includes("-h")) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseOptions(words, options);
  } catch (error) {
    if (error instanceof UsageError) return refuseUsage(error.message);
    throw error;
  }
}

/** Prints the usage error and exits with 2. */
export function refuseUsage(mistake: string): never {
  tell(usageText(new UsageError(mistake)));
  process.exit(2);
}
