import type { Timeline } from "../delivery/timeline";
import { findTimeline, type TimelineSources } from "../engine/timelines";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import type { LogFollower } from "../store/log-follower";
import { Trouble } from "./command";
import { paint, width } from "./output";
import { printableJson } from "./text";
import { showTimeline } from "./timeline-text";
import { existingLog, type Reached, withTransport } from "./transport";

const help = `Shows the timeline of an event.

  bun run events show ID    the time of its request, its commit and RabbitMQ's confirm, and its state at each consumer

Options:
  --json    print JSON
  --help    print this help

GET /events lists events with their ids. Works whether or not the API and the consumers run. Finds the log and the queues by
RABBITMQ_URL, DATABASE_URL and DATA_DIR, as the API does. If a part is unknown, the reason is shown.
Exit codes: 0 done, 1 failed or no such event, 2 wrong usage.`;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { json: { type: "boolean" } });
  const [name = "", id, ...rest] = positionals;
  if (name !== "show") throw new UsageError(name ? `Unknown command "${name}".` : "Missing command: show.");
  if (id === undefined || rest.length > 0) throw new UsageError("show needs the id of one event.");
  const show = async (reached: Reached) => {
    const timeline = await timelineIn(reached, id);
    if (!timeline) throw new Trouble(`The event log in ${reached.config.database.shown} has no event with the id "${printable(id)}".`);
    console.log(values.json ? printableJson(timeline) : showTimeline(timeline, paint, width));
    return 0;
  };
  return withTransport(show, { evenIfUnreachable: true });
});

async function timelineIn(reached: Reached, id: string): Promise<Timeline | undefined> {
  const log = await existingLog(reached.config);
  try {
    return await findTimeline({ store: log, consumers: reached.consumers, rabbitmq: await rabbitmqIn(reached, log) }, id);
  } finally {
    log.close();
  }
}

async function rabbitmqIn(reached: Reached, log: LogFollower): Promise<TimelineSources["rabbitmq"]> {
  const { broker } = reached;
  if (!broker) return undefined;
  const catalogue = await loadCatalogue();
  // AMQP cannot list queues; the API keeps a list beside its log.
  const names = catalogue.queuesWith(await log.queues());
  return {
    deadLetters: new RabbitDeadLetters(broker, async () => names),
    catalogue,
    subscriptions: () => log.subscriptions(),
  };
}
