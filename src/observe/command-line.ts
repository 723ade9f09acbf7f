import { type ParseArgsConfig, parseArgs } from "node:util";
import { messageOf } from "./logging";
import { tell } from "./terminal";

/** Wrong usage: printed with {@link usageText}; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function usageText({ message }: UsageError): string {
  return `${message}\nRun it with --help for its usage.`;
}

export type FlagOptions = NonNullable<ParseArgsConfig["options"]>;

/**
 * Parses the words of a command line, per `node:util`.
 *
 * @throws {UsageError} for an option that is not known or has no value.
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

/** @throws {UsageError} for an option that is not known or has no value, and for a word that is not one. */
export function parseOptions<const Options extends FlagOptions>(words: readonly string[], options: Options) {
  const { values, positionals } = parseWords(words, { ...options, ...helpFlag });
  if (positionals.length > 0) throw new UsageError(`Unexpected argument "${positionals[0]}".`);
  return values;
}

/**
 * Reads the options of a program that takes nothing else. `--help` prints the help and exits with 0; whatever is not known
 * is refused, with exit code 2.
 */
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

/** Prints what is wrong with the command line, and exits with 2. */
export function refuseUsage(mistake: string): never {
  tell(usageText(new UsageError(mistake)));
  process.exit(2);
}
