import type { Timeline } from "../delivery/timeline";
import { findTimeline, type TimelineSources } from "../engine/timelines";
import { parseWords, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import type { LogFollower } from "../store/log-follower";
import { runCommand, Trouble } from "./command";
import { paint, width } from "./output";
import { printableJson } from "./text";
import { showTimeline } from "./timeline-text";
import { existingLog, type Reached, withTransport } from "./transport";

const help = `Shows what became of an event.

  bun run events show ID    when its request came, when it committed, when RabbitMQ confirmed it, and how far each consumer is

Options:
  --json    print JSON
  --help    this text

Every event has its id in its JSON; GET /events lists them. Works whether or not the API and the consumers run. RABBITMQ_URL,
DATABASE_URL and DATA_DIR say where things are, as for the API. What is not known is said, with the reason.
Exit codes: 0 done, 1 something went wrong or there is no such event, 2 wrong usage.`;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { json: { type: "boolean" } });
  const [name = "", id, ...rest] = positionals;
  if (name !== "show") throw new UsageError(name ? `"${name}" is no command.` : "Say what to do with events.");
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
    return await findTimeline({ store: log, folder: reached.folder, rabbitmq: await rabbitmqIn(reached, log) }, id);
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
