import { relative } from "node:path";
import { type FlagOptions, parseOptions, readCommandLine } from "../observe/command-line";
import { mainFile } from "../project/executable";
import { type DescribedConsumer, isOnlyLookedAt } from "./describe-only";

const text = { type: "string" } as const;
/** Flags that every consumer accepts, in addition to `--help`. */
export const serverFlags = {
  "metrics-port": text,
  "metrics-host": text,
  "health-port": text,
  "health-host": text,
} as const;

/** Values of the flags that choose what a consumer serves: metrics, health, and their addresses. */
export type ServerFlags = { readonly [Flag in keyof typeof serverFlags]?: string | undefined };

/** Help lines for the flags that every consumer accepts. */
export const everyFlagHelp = `  --metrics-port N   serve Prometheus metrics at http://127.0.0.1:N/metrics; --metrics-host ADDRESS for another address
  --health-port N    serve /health/live and /health/ready likewise; --health-host ADDRESS for another address
  --help             print this help`;

/**
 * Reads the command line of a consumer that has flags of its own. Pass the result to `runConsumer`. `--help` prints the
 * help and exits with code 0. An unknown flag or argument prints an error and exits with code 2.
 *
 * @param help the complete help text, including {@link everyFlagHelp}.
 * @param own flags in addition to those of every consumer, in the format of `parseArgs` in `node:util`.
 * @example
 * const flags = readFlags(help, { limit: { type: "string", default: "1000" } });
 * await runConsumer({ queue: "price-watch", handle: ({ item }) => watch(item, Number(flags.limit)) }, flags);
 */
export function readFlags<const Own extends FlagOptions>(help: string, own: Own) {
  const options = { ...own, ...serverFlags };
  // While consumers are only inspected, the command line is that of another program.
  return isOnlyLookedAt() ? parseOptions([], options) : readCommandLine(help, (words) => parseOptions(words, options));
}

/** Returns the help text of consumers without flags of their own. */
export function helpOf(consumers: readonly DescribedConsumer[]): string {
  const about = consumers.map(({ queue, events, schedule, timeZone = "UTC", description }) => {
    const what =
      schedule === undefined
        ? `${events?.join(", ") ?? "all events"}, from ${queue === undefined ? "a temporary queue" : `the queue ${queue}`}`
        : `the schedule "${schedule}" in ${timeZone}, from the queue ${queue}`;
    return description === undefined ? `Handles ${what}.` : `${description}\nHandles ${what}.`;
  });
  return `${about.join("\n\n")}

  bun run ${relative(process.cwd(), mainFile())}

Options:
${everyFlagHelp}

Environment variables say where RabbitMQ and files are; see .env.example. Logs go to standard error.
Ctrl+C finishes the events in progress and stops.`;
}
