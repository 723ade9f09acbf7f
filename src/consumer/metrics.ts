import { deadReasons } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import type { TypeTally } from "../delivery/worker-tally";
import type { Metrics, Sample } from "../observe/metrics";

/** Exposed as 0 from the start: Prometheus does not see the increase of a counter whose first value is 1. */
const outcomes = ["handled", "duplicate", "skipped", "retry", "dead-letter"];

/** Describes the metrics of this process's consumers, by queue and event type. */
export function describeWorkers(metrics: Metrics, workers: readonly Pick<Worker, "consumer" | "tally" | "breaker">[]): void {
  // A temporary queue has a new name at every start.
  const queued = workers.map((worker) => ({ queue: worker.consumer.temporary ? "temporary" : worker.consumer.queue, worker }));
  function* byType<Value>(pick: (tally: TypeTally) => Value): Iterable<Sample<Value>> {
    for (const { queue, worker } of queued) for (const [type, tally] of worker.tally.types) yield [{ queue, type }, pick(tally)];
  }

  metrics.counter({
    name: "warren_consumer_events_total",
    help: "Attempts to handle an event, by outcome: handled, duplicate (its id was in the inbox), skipped (its type is not subscribed to), retry, dead-letter.",
    read: function* () {
      for (const { queue, worker } of queued) {
        for (const type of new Set([...worker.consumer.wanted, ...worker.tally.types.keys()])) {
          const counts = worker.tally.types.get(type)?.outcomes;
          for (const outcome of outcomes) yield [{ queue, type, outcome }, counts?.get(outcome) ?? 0];
        }
      }
    },
  });
  metrics.histogram({
    name: "warren_consumer_handler_duration_seconds",
    help: "Duration of the handler, in seconds. Each event of a batch or of a shared transaction counts with the duration of the whole.",
    read: () => byType((tally) => tally.handlerSeconds),
  });
  metrics.histogram({
    name: "warren_consumer_delay_seconds",
    help: "Time from the commit of a change until its event was handled, in seconds, without replays.",
    read: () => byType((tally) => tally.delaySeconds),
  });
  metrics.counter({
    name: "warren_consumer_dead_letters_total",
    help: "Events that became dead letters, by reason.",
    read: function* () {
      for (const { queue, worker } of queued) {
        for (const reason of deadReasons) yield [{ queue, reason }, worker.tally.deadReasons.get(reason) ?? 0];
      }
    },
  });
  metrics.gauge({
    name: "warren_consumer_breaker_open",
    help: "1 while the circuit breaker is open or half-open, otherwise 0.",
    read: () => queued.map(({ queue, worker }) => [{ queue }, worker.breaker.state === "closed" ? 0 : 1]),
  });
}
