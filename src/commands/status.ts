import { parseOptions, runCommand, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { needsOf } from "../status/system-needs";
import { SystemObserver, type SystemState } from "../status/system-state";
import { pause } from "../timing/pause";
import { onInterrupt } from "./command";
import { paint } from "./output";
import { Screen } from "./screen";
import { statusText } from "./status-text";
import { printableJson, zonedTime } from "./text";
import { sourcesOf, withTransport } from "./transport";

const help = `Shows the state of the system: the transport, the events waiting for RabbitMQ, each queue, and problems that need attention.

  bun run status                 once; takes a second to measure rates
  bun run status --watch         repeatedly, until Ctrl+C

Options:
  --every N       --watch: refresh every N seconds; default 2, or 10 in a pipe
  --json          print JSON; with --watch, one line per refresh
  --help          print this help

Columns:
  WAITING         events waiting to be handled; without RabbitMQ: events in the log after the consumer's position
  RETRIES         failed events waiting for their next attempt
  DEAD            dead letters
  CONSUMERS       running consumers
  OLDEST          age of the oldest waiting event; without RabbitMQ only
  CHANGE          change of WAITING in events per second

Works whether or not the API and the consumers run. Finds the queues by RABBITMQ_URL, DATABASE_URL and DATA_DIR, as the API
does. Exit codes: 0 nothing needs attention, 1 something does, 2 wrong usage.`;

const options = { watch: { type: "boolean" }, every: { type: "string" }, json: { type: "boolean" } } as const;

const { isTTY } = process.stdout;
/** Period over which rates are measured, in milliseconds. */
const sampleMs = 1000;

await runCommand(help, async (words) => {
  const values = parseOptions(words, options);
  if (values.every !== undefined && !values.watch) throw new UsageError("--every requires --watch.");
  const every = Number(values.every ?? (isTTY ? 2 : 10));
  if (!(every >= 0.1 && every <= 86_400)) throw new UsageError(`--every ${values.every}: use a number of seconds from 0.1 to 86400.`);
  const show = shower(values);
  const stopping = new AbortController();
  if (values.watch) onInterrupt(() => stopping.abort());
  return withTransport(
    async (reached) => {
      const observer = new SystemObserver(await sourcesOf(reached));
      try {
        return await run(observer, show, values.watch ? every * 1000 : undefined, stopping.signal);
      } finally {
        observer.close();
      }
    },
    { evenIfUnreachable: true },
  );
});

/**
 * Shows the state once, or repeatedly. Resolves with the last exit code.
 *
 * @param everyMs Interval between updates; undefined to show it once.
 */
async function run(
  observer: SystemObserver,
  show: (state: SystemState) => number,
  everyMs: number | undefined,
  stop: AbortSignal,
): Promise<number> {
  await observer.look();
  await pause(sampleMs, stop);
  let code = show(await observer.look());
  while (everyMs !== undefined && !stop.aborted) {
    await pause(everyMs, stop);
    if (!stop.aborted) code = show(await observer.look());
  }
  return code;
}

/** Returns a function that shows a state and returns the exit code. */
function shower({ watch, json }: { watch?: boolean; json?: boolean }): (state: SystemState) => number {
  const screen = new Screen(process.stdout);
  return (state) => {
    const needs = needsOf(state);
    const text = () => statusText(state, needs, paint, isTTY ? process.stdout.columns : undefined);
    const time = () => paint("dim", zonedTime(new Date(state.at)));
    if (json) console.log(watch ? printable(JSON.stringify({ ...state, needs })) : printableJson({ ...state, needs }));
    else if (!watch) console.log(text());
    else if (isTTY) screen.draw(`${time()}\n${text()}`);
    else console.log(`${time()}\n${text()}\n`);
    return needs.length > 0 ? 1 : 0;
  };
}
