import { beginningOf, countPast } from "../delivery/count-past";
import { UnknownQueue } from "../delivery/queue-errors";
import { narrowed, typesOnQueue } from "../delivery/queue-types";
import { InvalidSelection, readSelection } from "../delivery/read-selection";
import type { ReplaySelection } from "../delivery/replay-selection";
import { leastRate, Replays } from "../delivery/replays";
import { EmbeddedReplays } from "../embedded/replays";
import { counted } from "../observe/amounts";
import { parseWords, runCommand, UsageError, wholeNumber } from "../observe/command-line";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { quarantineFolder } from "../rabbitmq/quarantine";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { queueDepth } from "../rabbitmq/topology";
import type { Catalogue } from "../schema/catalogue";
import type { LogFollower } from "../store/log-follower";
import { cancelReplay } from "./cancel-replay";
import { ProgressReport } from "./progress";
import { replayEmbedded } from "./replay-embedded";
import { replayOnRabbitmq } from "./replay-rabbitmq";
import { described, type Replaying } from "./replaying";
import { existingLog, type Reached, silentLog, withTransport } from "./transport";

const help = `Sends past events from the event log to one queue again, in order. No other queue gets them.

  bun run replay --queue audit                             all events in the log
  bun run replay --queue audit --from 2026-11-01 --to 2026-12-01 --events 'item.*' --dry-run
  bun run replay --queue audit --id 42                     events of the item with this id

Which events:
  --queue NAME    queue to send them to
  --from TIME     at or after this time; a day starts at local midnight: 2026-11-01, '2026-11-01 08:00', 2026-11-01T08:00:00Z
  --to TIME       before this time; default: now
  --events TYPES  event types or patterns, separated by commas: item.created  'item.*'  '*.deleted'
  --id ID         of the record with this id
  --after N       after position N of the log, up to --last N; a stopped replay prints both, to continue from there

How:
  --rate N        maximum number of events per second
  --force         have the consumer handle events again that its inbox knows (exactlyOnce); otherwise it skips them
  --dry-run       count the events without sending them
  --cancel ID     end a replay that the API or a consumer runs; events already sent stay sent. Takes no other options
  --help          print this help

The events are marked as a replay. Works whether or not the API runs. With RabbitMQ, this command sends the events: Ctrl+C
stops it and prints how to continue. Without it, the queue's consumer replays them, now or when it next runs.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl+C.`;

const options = {
  queue: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  events: { type: "string", multiple: true },
  id: { type: "string" },
  after: { type: "string" },
  last: { type: "string" },
  rate: { type: "string" },
  force: { type: "boolean" },
  "dry-run": { type: "boolean" },
  cancel: { type: "string" },
} as const;
type Values = ReturnType<typeof parseWords<typeof options>>["values"];

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, options);
  if (positionals.length > 0)
    throw new UsageError(`Unexpected argument "${positionals[0]}". Patterns with a * need quotes: --events 'item.*'`);
  const { queue, cancel } = values;
  if (cancel !== undefined) {
    if (Object.keys(values).length > 1) throw new UsageError("--cancel cannot be combined with other options.");
    return withTransport((reached) => cancelReplay(reached, cancel));
  }
  if (queue === undefined) throw new UsageError("Missing --queue NAME, the queue to send the events to.");
  const catalogue = await loadCatalogue();
  const asked = selectionOf(values, queue, catalogue);
  const [after, last] = [values.after, values.last].map((text, n) =>
    text === undefined ? undefined : wholeNumber(n ? "--last" : "--after", text, 0),
  );
  return withTransport(async (reached) => {
    const log = await existingLog(reached.config);
    try {
      const selection = await belonging(reached, log, queue, asked, catalogue);
      const replaying: Replaying = {
        queue,
        selection,
        log,
        after: Math.max(after ?? 0, await beginningOf(log, selection)),
        last: Math.min(last ?? Number.MAX_SAFE_INTEGER, await log.end()),
        words: wordsOf(values, queue),
      };
      const what = described(asked, { after, last });
      if (values["dry-run"]) return await count(replaying, what);
      tell(`Replaying ${what} to "${queue}" ${reached.place}.`);
      return await start(reached, replaying);
    } finally {
      log.close();
    }
  });
});

/**
 * Narrows a selection to the events that belong on the queue.
 *
 * @throws {UnknownQueue} if the queue does not exist.
 */
async function belonging(
  { broker, consumers }: Reached,
  log: LogFollower,
  queue: string,
  asked: ReplaySelection,
  catalogue: Catalogue,
): Promise<ReplaySelection> {
  if (!broker) return new Replays(new EmbeddedReplays(log, consumers)).belonging(queue, asked);
  if ((await queueDepth(broker, queue)) === undefined) throw new UnknownQueue(queue);
  return narrowed(asked, typesOnQueue(queue, catalogue, await log.subscriptions()));
}

function start(reached: Reached, replaying: Replaying): Promise<number> {
  const { broker, consumers, config } = reached;
  if (!broker || !config.rabbitmq) return replayEmbedded(consumers, replaying);
  const inspector = new QueueInspector(broker, config.rabbitmq, silentLog());
  return replayOnRabbitmq(broker, inspector, replaying, quarantineFolder(config.dataDir));
}

async function count(replaying: Replaying, what: string): Promise<number> {
  const progress = new ProgressReport("event");
  const { log, selection, after, last } = replaying;
  const events = await countPast(log, selection, { after, last, onProgress: (share, found) => progress.update(share, found) });
  progress.end();
  console.log(`${counted(events, "event")}: ${what}. Nothing was sent.`);
  return 0;
}

function selectionOf(values: Values, queue: string, catalogue: Catalogue): ReplaySelection {
  const rate = values.rate === undefined ? undefined : Number(values.rate);
  if (rate !== undefined && !(rate >= leastRate && Number.isFinite(rate))) {
    throw new UsageError(`--rate ${values.rate}: use a number of ${leastRate} or more.`);
  }
  const id = values.id === undefined ? undefined : wholeNumber("--id", values.id, 1);
  const events = values.events?.flatMap((each) => each.split(",")).map((pattern) => pattern.trim());
  const { from, to, force } = values;
  try {
    return readSelection({ queue, events, id, from, to, rate, force }, catalogue, "local");
  } catch (error) {
    if (!(error instanceof InvalidSelection)) throw error;
    const [{ field, detail }] = error.mistakes;
    throw new UsageError(`--${field} ${values[field]}: ${detail}`);
  }
}

function wordsOf({ from, to, events = [], id, rate, force }: Values, queue: string): string[] {
  const given = { queue, from, to, events: events.length > 0 ? events.join(",") : undefined, id, rate };
  const words = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return ["bun", "run", "replay", ...words, ...(force ? ["--force"] : [])];
}
