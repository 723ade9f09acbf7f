import { type ParseArgsConfig, parseArgs } from "node:util";
import { messageOf } from "./logging";

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
