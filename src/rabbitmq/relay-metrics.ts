import type { Metrics } from "../observe/metrics";
import type { LogReader } from "../store/log";
import { type Backlog, backlogOf } from "./backlog";
import type { Relay } from "./relay";

/** Declares metrics of the relay's progress through the event log. */
export function describeRelay(
  metrics: Metrics,
  relay: Pick<Relay, "position" | "isRunning"> & { readonly tally: Omit<Relay["tally"], "seconds"> },
  log: Pick<LogReader, "read" | "end">,
): void {
  /** Null if the log could not be read. */
  let position: number | null = null;
  let backlog: Backlog | null = null;
  metrics.beforeScrape(async () => {
    position = backlog = null;
    position = await relay.position();
    backlog = await backlogOf(log, position);
  });

  metrics.gauge({
    name: "warren_relay_position",
    help: "The position in the event log up to which RabbitMQ has confirmed every event.",
    read: () => (position === null ? [] : [[{}, position]]),
  });
  metrics.gauge({
    name: "warren_relay_running",
    help: "1 if this process sends the events to RabbitMQ, otherwise 0. Of several processes, one does.",
    read: () => [[{}, relay.isRunning ? 1 : 0]],
  });
  metrics.gauge({
    name: "warren_relay_backlog_events",
    help: "Events in the log that RabbitMQ has not confirmed yet.",
    read: () => (backlog ? [[{}, backlog.events]] : []),
  });
  metrics.gauge({
    name: "warren_relay_backlog_age_seconds",
    help: "Age of the oldest event that RabbitMQ has not confirmed yet, in seconds. 0 if there is none.",
    read: () => (backlog ? [[{}, backlog.ageSeconds]] : []),
  });
  metrics.counter({
    name: "warren_relay_confirms_total",
    help: "Events that RabbitMQ has confirmed.",
    read: () => [[{}, relay.tally.confirms]],
  });
  metrics.counter({
    name: "warren_relay_returns_total",
    help: "Events that RabbitMQ returned because no queue accepted them. They are sent again.",
    read: () => [[{}, relay.tally.returns]],
  });
  metrics.counter({
    name: "warren_relay_failures_total",
    help: "Events that RabbitMQ refused, or whose connection was lost before the confirm. They are sent again.",
    read: () => [[{}, relay.tally.failures]],
  });
}
