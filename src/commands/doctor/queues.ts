import { counted, duration } from "../../observe/amounts";
import { type Need, needsOf } from "../../status/system-needs";
import { SystemObserver, type SystemState } from "../../status/system-state";
import { type ListedQueue, listQueues } from "../known-queues";
import { type Reached, sourcesOf } from "../transport";
import { type Finding, failure, ok, warning } from "./finding";

/** Time without an announcement after which a queue without consumers counts as abandoned, in milliseconds. */
const abandonedAfterMs = 7 * 86_400_000;

interface QueueCheck {
  readonly check: string;
  /** Problems in the output of `status` that this check reports. */
  readonly kinds: readonly Need["kind"][];
  readonly state: typeof failure;
  /** Message if there is nothing to report. */
  readonly fine: string;
  /** True if it concerns RabbitMQ only. */
  readonly onRabbitmq?: boolean;
}

const checks: readonly QueueCheck[] = [
  { check: "queue setup", kinds: ["queue-drops-events"], state: failure, fine: "no queue could drop events", onRabbitmq: true },
  { check: "conversions", kinds: ["conversion"], state: warning, fine: "none is unfinished", onRabbitmq: true },
  { check: "relay", kinds: ["relay-stopped"], state: failure, fine: "nothing hinders it", onRabbitmq: true },
  { check: "backlog", kinds: ["old-backlog"], state: warning, fine: "no event waits long for RabbitMQ", onRabbitmq: true },
  { check: "announcements", kinds: ["refused-announcement"], state: warning, fine: "none was refused", onRabbitmq: true },
  { check: "consumers", kinds: ["no-consumer"], state: warning, fine: "every queue with events has one" },
  { check: "dead letters", kinds: ["dead-letters"], state: warning, fine: "none" },
  { check: "quarantine", kinds: ["quarantine"], state: warning, fine: "empty" },
];

/** Checks the queues on either transport, as `status` does, and looks for abandoned ones. */
export async function checkQueues(reached: Reached): Promise<Finding[]> {
  const observer = new SystemObserver(await sourcesOf(reached));
  try {
    const state = await observer.look();
    if (state.queues === null)
      return [warning("queues", "not checked, because RabbitMQ does not answer", "Run the doctor again when it does.")];
    return [...needFindings(state), ...abandonedFindings(await listQueues(reached), Date.now())];
  } finally {
    observer.close();
  }
}

function needFindings(state: SystemState): Finding[] {
  const needs = needsOf(state);
  return checks
    .filter(({ onRabbitmq }) => !onRabbitmq || state.broker)
    .flatMap(({ check, kinds, state: finding, fine }) => {
      const found = needs.filter(({ kind }) => kinds.includes(kind));
      return found.length > 0 ? found.map(({ what, todo }) => finding(check, what, todo)) : [ok(check, fine)];
    });
}

/** @param now Time, in milliseconds since 1970. */
export function abandonedFindings(queues: readonly ListedQueue[], now: number): Finding[] {
  const abandoned = queues.filter(
    ({ kind, exists, consumers, announcedAt }) =>
      kind === "own" && exists && consumers === 0 && announcedAt !== null && now - Date.parse(announcedAt) > abandonedAfterMs,
  );
  if (abandoned.length === 0) return [ok("queues", queues.length > 0 ? `${counted(queues.length, "queue")}, none abandoned` : "none yet")];
  return abandoned.map(({ queue, announcedAt }) =>
    warning(
      "queues",
      `No consumer has asked for "${queue}" for ${duration(now - Date.parse(announcedAt ?? ""))}.`,
      `Start its consumer, or remove it: bun run queues remove ${queue}`,
    ),
  );
}
