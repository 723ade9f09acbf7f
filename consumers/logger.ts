import { type AnyEvent, type EventPattern, everyFlagHelp, readFlags, runConsumer } from "warren/consumer";
import { localTime, printable } from "warren/terminal";

const help = `Prints every event as it happens, one line each.

  bun run consumers/logger.ts
      all events of items, from the shared queue item_events
  bun run consumers/logger.ts --events item.created,item.deleted
      only these types, from a temporary queue, starting now
  bun run consumers/logger.ts --events 'item.*' --queue tail
      these types, from the durable queue "tail", which keeps them while no logger runs

Options:
  --events TYPES     event types or patterns, separated by commas: item.created,item.deleted  'item.*'  '*.deleted'  '#'
  --queue NAME       durable queue to consume; default item_events, or a temporary one with --events
  --json             print each event as a line of JSON
${everyFlagHelp}

Several loggers on one queue share its events. Logs go to standard error. Ctrl+C finishes the event in progress and stops.`;

/** The queue that the logger consumes without options. */
export const logger = { queue: "item_events", description: "Prints every event as it happens." };

/** Returns a readable line with local time: `[CREATED] Item ID: 1, Name: Sample Item at 2026-02-18 18:23:45`. */
export function formatEvent(event: AnyEvent, colour: boolean): string {
  const [resource = "", change = ""] = event.type.split(".");
  const record = (event as unknown as Record<string, { id: number; name?: unknown }>)[resource];
  const name = typeof record?.name === "string" ? `, Name: ${printable(record.name)}` : "";
  const tag = `[${change.toUpperCase()}]`;
  const paint = colour ? colours[change] : undefined;
  const title = resource.charAt(0).toUpperCase() + resource.slice(1);
  return `${paint ? `\x1b[${paint}m${tag}\x1b[0m` : tag} ${title} ID: ${record?.id}${name} at ${localTime(new Date(event.timestamp))}`;
}

const colours: Record<string, number> = { created: 32, updated: 33, deleted: 31 };

/** Writes a line. The event is done once the line is written. If writing fails, the process exits and another logger gets it. */
function print(line: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (!error) return resolve();
      console.error(`Cannot write to standard output: ${error.message}. The event goes to the next logger.`);
      process.exit(1);
    });
  });
}

if (import.meta.main) {
  const flags = readFlags(help, { events: { type: "string" }, queue: { type: "string" }, json: { type: "boolean" } });
  const events = flags.events?.split(",").map((pattern) => pattern.trim() as EventPattern);
  // Bun respects NO_COLOR and FORCE_COLOR.
  const colour = process.stdout.isTTY && Bun.enableANSIColors;
  await runConsumer(
    {
      queue: flags.queue ?? (events ? undefined : logger.queue),
      events,
      handle: (event) => print(flags.json ? printable(JSON.stringify(event)) : formatEvent(event, colour)),
      // With --json, standard output has events only.
      onReady: () => console[flags.json ? "error" : "log"]("Event consumer started. Waiting for events... Press Ctrl+C to exit."),
    },
    flags,
  );
}
