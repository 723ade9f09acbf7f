import type { Metrics } from "../observe/metrics";
import type { Store } from "./store";

/** Registers the metrics of commits and of events appended to the log. */
export function describeStore(metrics: Metrics, { tally: { commits, appended } }: Pick<Store, "tally">): void {
  metrics.histogram({
    name: "warren_store_commit_duration_seconds",
    help: "How long a commit took, with its changes and the flush to the disk.",
    read: () => [[{}, commits.seconds]],
  });
  metrics.histogram({
    name: "warren_store_commit_changes",
    help: "Changes that shared a commit.",
    read: () => [[{}, commits.changes]],
  });
  metrics.counter({
    name: "warren_store_commit_failures_total",
    help: "Commits that the store could not make: disk full, locked, broken.",
    read: () => [[{}, commits.failures]],
  });
  metrics.counter({
    name: "warren_events_appended_total",
    help: "Events that were committed to the event log.",
    read: function* () {
      for (const [type, count] of appended) yield [{ type }, count];
    },
  });
}
