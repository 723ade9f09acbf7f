import { relative } from "node:path";
import { type FlagOptions, readOptions } from "../observe/command-line";
import { type DescribedConsumer, isOnlyLookedAt } from "./describe-only";

const text = { type: "string" } as const;
/** Flags that every consumer takes, beside `--help`. */
export const serverFlags = {
  "metrics-port": text,
  "metrics-host": text,
  "health-port": text,
  "health-host": text,
} as const;

/** The flags that say what a consumer serves beside its work. */
export type ServerFlags = { readonly [Flag in keyof typeof serverFlags]?: string | undefined };

/** The lines of a help text for the flags that every consumer takes. */
export const everyFlagHelp = `  --metrics-port N   metrics for Prometheus at http://127.0.0.1:N/metrics; --metrics-host ADDRESS for elsewhere
  --health-port N    /health/live and /health/ready there; --health-host ADDRESS for elsewhere
  --help             this text`;

/**
 * Reads the command line of a consumer that has flags of its own; pass the result to `runConsumer`. `--help` prints the help
 * and exits with 0. A flag or a word that is not known is refused, with exit code 2.
 *
 * @param help the whole text, with {@link everyFlagHelp} in it.
 * @param own flags beside those of every consumer, as `parseArgs` of `node:util` takes them.
 * @example
 * const flags = readFlags(help, { limit: { type: "string", default: "1000" } });
 * await runConsumer({ queue: "price-watch", handle: ({ item }) => watch(item, Number(flags.limit)) }, flags);
 */
export function readFlags<const Own extends FlagOptions>(help: string, own: Own) {
  // While consumers are only looked at, the command line is another program's.
  return readOptions(isOnlyLookedAt() ? [] : process.argv.slice(2), help, { ...own, ...serverFlags });
}

/** The help of consumers without flags of their own. */
export function helpOf(consumers: readonly DescribedConsumer[]): string {
  const about = consumers.map(({ queue, events, description }) => {
    const what = `${events?.join(", ") ?? "all its events"}, from ${queue === undefined ? "a temporary queue" : `the queue ${queue}`}`;
    return description === undefined ? `Handles ${what}.` : `${description}\nHandles ${what}.`;
  });
  return `${about.join("\n\n")}

  bun run ${relative(process.cwd(), Bun.main)}

Options:
${everyFlagHelp}

Variables of the environment say where RabbitMQ and files are: .env.example has all of them. Logs go to standard error.
Ctrl+C finishes the events in hand and stops.`;
}
