import { mostCounted, type TimerState, timerState } from "../delivery/timer-state";
import type { Metrics } from "../observe/metrics";
import type { TimerReads } from "../store/timers";

/** Registers the metrics of the events to publish later, read on a scrape. */
export function describeTimers(metrics: Metrics, timers: TimerReads): void {
  let latest: TimerState | undefined;
  metrics.beforeScrape(async () => {
    latest = undefined;
    latest = await timerState(timers);
  });
  const gauge = (name: string, help: string, pick: (state: TimerState) => number) =>
    metrics.gauge({ name, help, read: () => (latest ? [[{}, pick(latest)]] : []) });
  gauge("warren_timers_waiting", `Events to publish later, counted up to ${mostCounted}.`, ({ waiting }) => waiting);
  gauge("warren_timers_late_seconds", "For how long the first of them has been due.", ({ lateSeconds }) => lateSeconds);
  gauge("warren_timers_problems", `Events that cannot be published, counted up to ${mostCounted}.`, ({ problems }) => problems);
}
