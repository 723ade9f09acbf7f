import { mostCounted, mostLateSeconds } from "../delivery/timer-state";
import { ago, counted, duration } from "../observe/amounts";
import { oldBacklogSeconds } from "../rabbitmq/backlog";
import { toldQuarantine } from "../rabbitmq/quarantine";
import { dangerText } from "../rabbitmq/queue-inspection";
import type { ObservedQueue, SystemState } from "./system-state";

/** A problem that does not resolve itself. */
export interface Need {
  readonly kind:
    | "no-log"
    | "queue-drops-events"
    | "conversion"
    | "relay-stopped"
    | "broker-away"
    | "old-backlog"
    | "late-timers"
    | "timer-problems"
    | "stopped-schedule"
    | "dead-letters"
    | "no-consumer"
    | "quarantine"
    | "refused-announcement";
  /** Null if the problem concerns no queue. */
  readonly queue: string | null;
  readonly what: string;
  /** Suggested fix. */
  readonly todo: string;
}

/** Returns the problems that need a person; an empty array if there are none. */
export function needsOf(state: SystemState): Need[] {
  return [
    ...needsOfLog(state),
    ...needsOfBroker(state),
    ...needsOfRelay(state),
    ...needsOfTimers(state),
    ...needsOfSchedules(state),
    ...needsOfSetup(state),
    ...needsOfConversions(state),
    ...needsOfQueues(state),
    ...needsOfQuarantine(state),
    ...needsOfRefusals(state),
  ];
}

function* needsOfLog({ log, database }: SystemState): Generator<Need> {
  if (log) return;
  const todo = "Start the API, which creates it: `bun run dev`. If it is running, use its DATABASE_URL.";
  yield { kind: "no-log", queue: null, what: `There is no event log in ${database} yet.`, todo };
}

function* needsOfBroker({ broker }: SystemState): Generator<Need> {
  if (!broker || broker.state === "connected") return;
  const what =
    broker.state === "blocked"
      ? `RabbitMQ at ${broker.url} does not accept messages.`
      : `Cannot reach RabbitMQ at ${broker.url}${broker.error === null ? "" : ` (${broker.error})`}.`;
  const todo =
    broker.state === "blocked"
      ? "Run `rabbitmq-diagnostics alarms` to see whether it is short of memory or disk."
      : "Start it, or correct RABBITMQ_URL. Events wait in the log until then; none is lost.";
  yield { kind: "broker-away", queue: null, what, todo };
}

function* needsOfRelay({ relay, api, broker }: SystemState): Generator<Need> {
  if (!relay || relay.ageSeconds <= oldBacklogSeconds) return;
  const wait = relay.events === 1 ? "waits" : "wait";
  const what = `${counted(relay.events, "event")} ${wait} for RabbitMQ's confirm, the oldest for ${duration(relay.ageSeconds * 1000)}.`;
  let todo = "Check the API's log, and whether RabbitMQ is short of memory or disk: `rabbitmq-diagnostics alarms`.";
  if (broker?.state !== "connected") todo = "They will be sent when RabbitMQ is available again.";
  else if (!api.running) todo = "Start the API, which sends them; it is not running.";
  yield { kind: "old-backlog", queue: null, what, todo };
}

function* needsOfTimers({ timers, api }: SystemState): Generator<Need> {
  if (!timers) return;
  if (timers.lateSeconds > mostLateSeconds) {
    const what = `An event to publish later has been due for ${duration(timers.lateSeconds * 1000)}.`;
    const todo = api.running
      ? "If this does not get less, look into the log of the API: it says what hinders it."
      : "Start the API, which publishes it; it is not running.";
    yield { kind: "late-timers", queue: null, what, todo };
  }
  if (timers.problems > 0) {
    const count = `${timers.problems === mostCounted ? "At least " : ""}${counted(timers.problems, "event")}`;
    const todo =
      "`bun run timers list --problem` shows why. Start a version of the program that declares them, which tries them again, or cancel them.";
    yield { kind: "timer-problems", queue: null, what: `${count} to publish later cannot be published.`, todo };
  }
}

function* needsOfSchedules({ schedules, at }: SystemState): Generator<Need> {
  for (const { name, state, announcedAt } of schedules) {
    if (state !== "stopped") continue;
    const what = `The schedule of "${name}" has stopped: its consumer was there last ${ago(announcedAt, Date.parse(at))}.`;
    yield { kind: "stopped-schedule", queue: name, what, todo: `Start its consumer, or remove it: \`bun run schedules remove ${name}\`.` };
  }
}

function* needsOfSetup({ relayTrouble, dangers }: SystemState): Generator<Need> {
  if (relayTrouble) {
    const { queue, what, since } = relayTrouble;
    const todo =
      queue === null
        ? "Events wait in the log until this is fixed."
        : "Events wait in the log until the queue's consumers catch up or its limit is raised.";
    yield { kind: "relay-stopped", queue, what: `Since ${since}: ${what}`, todo };
  }
  for (const danger of dangers) {
    yield { kind: "queue-drops-events", queue: danger.queue, what: dangerText(danger.queue, danger), todo: danger.todo };
  }
}

function* needsOfConversions({ conversions, api }: SystemState): Generator<Need> {
  const todo = api.running
    ? "The API continues it. If it takes long, /health/ready and the log of the process that relays say what it waits for."
    : "Start the API with QUEUE_TYPE=quorum, which continues it.";
  for (const { queue, events } of conversions) {
    const what = `The conversion of "${queue}" to a quorum queue is unfinished; ${counted(events, "event")} of it ${events === 1 ? "waits" : "wait"} elsewhere.`;
    yield { kind: "conversion", queue, what, todo };
  }
}

function* needsOfQueues({ queues, broker }: SystemState): Generator<Need> {
  for (const state of queues ?? []) {
    const { queue, deadLetters } = state;
    if (deadLetters > 0) {
      const what = `"${queue}" has ${counted(deadLetters, "dead letter")}.`;
      const todo = `\`bun run dead-letters list ${queue}\` shows why. Fix the cause and redrive them, or discard them.`;
      yield { kind: "dead-letters", queue, what, todo };
    }
    if (isLeftAlone(state)) {
      const waiting = (state.messages ?? 0) + state.retries;
      const what = `${counted(waiting, "event")} ${waiting === 1 ? "waits" : "wait"} in "${queue}", which has no consumer.`;
      // RabbitMQ has the queue of a resource at each start of the API.
      const canBeRemoved = !broker || state.kind === "own";
      const start = canBeRemoved
        ? `Start its consumer, or remove the queue if it is no longer needed: bun run queues remove ${queue}.`
        : "Start a consumer of it: as the queue of a resource, it gets all events of that, and cannot be removed.";
      const paused = " A consumer that is paused because its handler fails too often is not counted; its log says so.";
      const todo = broker ? start + paused : start;
      yield { kind: "no-consumer", queue, what, todo };
    }
  }
}

function* needsOfRefusals({ refusals, at }: SystemState): Generator<Need> {
  for (const { queue, problem, count, lastAt } of refusals) {
    const times = `${counted(count, "time")}, most recently ${ago(new Date(lastAt).toISOString(), Date.parse(at))}`;
    const what = `An announcement ${queue ? `of "${queue}" ` : ""}was refused: ${problem} (${times}).`;
    const todo =
      "If it is your consumer, update it, and set its WARREN_KEY to that of the API if they do not share a data folder. Otherwise, someone may be writing to RabbitMQ without permission.";
    yield { kind: "refused-announcement", queue: queue || null, what, todo };
  }
}

function* needsOfQuarantine({ quarantine }: SystemState): Generator<Need> {
  const todo = "Each file states the reason. Fix it, send the bodies to the queue again if they are needed, and delete the files.";
  for (const kept of quarantine) yield { kind: "quarantine", queue: kept.queue, what: toldQuarantine(kept), todo };
}

/** Returns whether events wait in a queue without consumers. */
export function isLeftAlone({ messages, retries, consumers }: ObservedQueue): boolean {
  return consumers === 0 && (messages ?? 0) + retries > 0;
}
