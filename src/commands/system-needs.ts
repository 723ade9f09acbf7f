import { oldBacklogSeconds } from "../rabbitmq/backlog";
import { toldQuarantine } from "../rabbitmq/quarantine";
import { dangerText } from "../rabbitmq/queue-inspection";
import type { ObservedQueue, SystemState } from "./system-state";
import { ago, counted, duration } from "./text";

/** A problem that does not resolve itself. */
export interface Need {
  readonly kind:
    | "no-log"
    | "queue-drops-events"
    | "relay-stopped"
    | "broker-away"
    | "old-backlog"
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
    ...needsOfSetup(state),
    ...needsOfQueues(state),
    ...needsOfQuarantine(state),
    ...needsOfRefusals(state),
  ];
}

function* needsOfLog({ log, database }: SystemState): Generator<Need> {
  if (log) return;
  const todo = "The API makes it when it starts: `bun run dev`. Or DATABASE_URL is not that of the API.";
  yield { kind: "no-log", queue: null, what: `There is no event log in ${database} yet.`, todo };
}

function* needsOfBroker({ broker }: SystemState): Generator<Need> {
  if (!broker || broker.state === "connected") return;
  const what =
    broker.state === "blocked"
      ? `RabbitMQ at ${broker.url} takes no messages.`
      : `RabbitMQ at ${broker.url} cannot be reached${broker.error === null ? "" : ` (${broker.error})`}.`;
  const todo =
    broker.state === "blocked"
      ? "`rabbitmq-diagnostics alarms` tells what it lacks, memory or disk."
      : "Start it, or correct RABBITMQ_URL. Events wait in the log until then; none is lost.";
  yield { kind: "broker-away", queue: null, what, todo };
}

function* needsOfRelay({ relay, api, broker }: SystemState): Generator<Need> {
  if (!relay || relay.ageSeconds <= oldBacklogSeconds) return;
  const wait = relay.events === 1 ? "waits" : "wait";
  const what = `${counted(relay.events, "event")} ${wait} for RabbitMQ's confirm, the oldest for ${duration(relay.ageSeconds * 1000)}.`;
  let todo = "Look at the API's log, and whether RabbitMQ is short of memory or disk: `rabbitmq-diagnostics alarms`.";
  if (broker?.state !== "connected") todo = "They are sent when RabbitMQ is back.";
  else if (!api.running) todo = "The API does not run, and it is what sends them: start it.";
  yield { kind: "old-backlog", queue: null, what, todo };
}

function* needsOfSetup({ relayTrouble, dangers }: SystemState): Generator<Need> {
  if (relayTrouble) {
    const { queue, what, since } = relayTrouble;
    const todo =
      queue === null
        ? "Events wait in the log until that is mended."
        : "Events wait in the log until its consumers have caught up, or its limit is raised.";
    yield { kind: "relay-stopped", queue, what: `Since ${since}: ${what}`, todo };
  }
  for (const danger of dangers) {
    yield { kind: "queue-drops-events", queue: danger.queue, what: dangerText(danger.queue, danger), todo: danger.todo };
  }
}

function* needsOfQueues({ queues, broker }: SystemState): Generator<Need> {
  for (const state of queues ?? []) {
    const { queue, deadLetters } = state;
    if (deadLetters > 0) {
      const what = `"${queue}" has ${counted(deadLetters, "dead letter")}.`;
      const todo = `\`bun run dead-letters list ${queue}\` says why. Redrive them when the reason is mended, or discard them.`;
      yield { kind: "dead-letters", queue, what, todo };
    }
    if (isLeftAlone(state)) {
      const waiting = (state.messages ?? 0) + state.retries;
      const what = `${counted(waiting, "event")} ${waiting === 1 ? "waits" : "wait"} in "${queue}", and nobody works on it.`;
      const remove = `Start its consumer, or remove the queue if nobody needs it: bun run queues remove ${queue}.`;
      const paused = " A consumer that pauses since its handler fails too often counts as none; its log says so.";
      const todo = broker ? remove + paused : remove;
      yield { kind: "no-consumer", queue, what, todo };
    }
  }
}

function* needsOfRefusals({ refusals, at }: SystemState): Generator<Need> {
  for (const { queue, problem, count, lastAt } of refusals) {
    const times = `${counted(count, "time")}, the last ${ago(new Date(lastAt).toISOString(), Date.parse(at))}`;
    const what = `An announcement ${queue ? `of "${queue}" ` : ""}was refused: ${problem} (${times}).`;
    const todo =
      "If it is a consumer of yours, update it, and give it the WARREN_KEY of the API if it has another data folder. Else somebody may write to RabbitMQ who should not.";
    yield { kind: "refused-announcement", queue: queue || null, what, todo };
  }
}

function* needsOfQuarantine({ quarantine }: SystemState): Generator<Need> {
  const todo = "Each file says why. Mend that, send the bodies to the queue again or leave them, and delete the files.";
  for (const kept of quarantine) yield { kind: "quarantine", queue: kept.queue, what: toldQuarantine(kept), todo };
}

/** Returns whether events wait in a queue without consumers. */
export function isLeftAlone({ messages, retries, consumers }: ObservedQueue): boolean {
  return consumers === 0 && (messages ?? 0) + retries > 0;
}
