import type { Metrics, Sample } from "../observe/metrics";
import { type AskQueues, type QueueState, QueueStates } from "../status/queue-states";

/** Describes the metrics of the queues, read on a scrape from the broker or the consumers' files. */
export function describeQueues(metrics: Metrics, ask: AskQueues): void {
  const states = new QueueStates(ask);
  metrics.beforeScrape(() => states.refresh());
  const gauge = (name: string, help: string, pick: (state: QueueState) => number | null) => {
    function* read(): Iterable<Sample<number>> {
      for (const state of states.latest) {
        const value = pick(state);
        if (value !== null) yield [{ queue: state.queue }, value];
      }
    }
    metrics.gauge({ name, help, read });
  };
  gauge("warren_queue_messages", "Events waiting in the queue.", ({ messages }) => messages);
  gauge("warren_queue_consumers", "Running consumers of the queue.", ({ consumers }) => consumers);
  gauge("warren_queue_retries", "Failed events waiting for their next attempt.", ({ retries }) => retries);
  gauge("warren_queue_dead_letters", "Dead letters of the queue that have not been redriven or discarded.", (state) => state.deadLetters);
}
