import type { ConsumerTimeline, Timeline, TimelineAttempt } from "../delivery/timeline";
import { duration } from "../observe/amounts";
import { localTime, printable } from "../observe/terminal";
import type { RelatedEvent } from "../store/cause";
import { table } from "./table";
import type { Paint } from "./text";

interface Step {
  readonly at: string;
  readonly where: string;
  readonly what: string;
}

/**
 * Formats a timeline: every step in chronological order, then the state at each consumer.
 *
 * @param width Width of the terminal; undefined to cut nothing.
 */
export function showTimeline(timeline: Timeline, paint: Paint, width: number | undefined): string {
  const { id, type, subject, position, traceparent, request } = timeline;
  const facts: [string, string][] = [
    ["Type", printable(type)],
    ["Record", String(subject)],
    ["Position", String(position)],
    ...(request.actor === null ? [] : [["Actor", printable(request.actor)] as [string, string]]),
    ...(traceparent === null ? [] : [["Trace", printable(traceparent)] as [string, string]]),
  ];
  return [
    paint("bold", `Event ${printable(id)}`),
    ...facts.map(([name, value]) => `  ${name.padEnd(10)}${value}`),
    "",
    stepTable(timeline, paint, width),
    "",
    consumerTable(timeline.consumers, paint),
    ...relatedTable("CAUSED BY", timeline.causes, paint),
    ...relatedTable("HAS CAUSED", timeline.caused, paint),
  ].join("\n");
}

function stepTable(timeline: Timeline, paint: Paint, width: number | undefined): string {
  const steps = stepsOf(timeline);
  const rows = steps.map(({ at, where, what }, index) => {
    const before = steps[index - 1]?.at;
    return [clock(at), before === undefined ? "" : `+${elapsed(Date.parse(at) - Date.parse(before))}`, printable(where), printable(what)];
  });
  const unknown = unknownSteps(timeline).map(([where, what]) => ["?", "", where, what]);
  return table(
    [{ title: "TIME" }, { title: "AFTER", align: "right" }, { title: "WHERE" }, { title: "WHAT" }],
    [...rows, ...unknown],
    paint,
    width,
  );
}

function stepsOf({ request, committedAt, broker, consumers }: Timeline): Step[] {
  const steps: Step[] = [
    ...(request.at === null
      ? []
      : [{ at: request.at, where: "API", what: `request received${request.id === null ? "" : `: ${request.id}`}` }]),
    { at: committedAt, where: "API", what: "committed" },
    ...(broker.confirmedBy === null ? [] : [{ at: broker.confirmedBy, where: "RabbitMQ", what: "confirmed at this time or earlier" }]),
  ];
  for (const { queue, state, at, attempts } of consumers) {
    for (const attempt of attempts) steps.push({ at: attempt.at, where: queue, what: attemptText(attempt) });
    if (at !== null && attempts.length === 0) steps.push({ at, where: queue, what: state });
  }
  // The sort is stable: steps with the same time keep their order.
  return steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function unknownSteps({ request, broker }: Timeline): [string, string][] {
  const steps: [string, string][] = [];
  if (request.at === null) steps.push(["API", "request received at an unknown time"]);
  if (broker.state === "pending") steps.push(["RabbitMQ", "not confirmed yet"]);
  if (broker.state === "confirmed" && broker.confirmedBy === null) steps.push(["RabbitMQ", "confirmed at an unknown time"]);
  return steps;
}

function attemptText({ attempt, at, outcome, reason, error, nextAt }: TimelineAttempt): string {
  if (outcome === "handled") return `attempt ${attempt}: handled`;
  const then = outcome === "retry" ? `next attempt due after ${elapsed(Date.parse(nextAt ?? "") - Date.parse(at))}` : `given up, ${reason}`;
  return `attempt ${attempt} failed, ${then}: ${error?.split("\n", 1)[0]}`;
}

const colours = { handled: "green", waiting: "yellow", retrying: "yellow", "dead-letter": "red", skipped: "dim", unknown: "dim" } as const;

/** Formats the consumers. Not cut, since a note explains why something is unknown. */
function consumerTable(consumers: readonly ConsumerTimeline[], paint: Paint): string {
  if (consumers.length === 0) return "No known consumer receives it.";
  const rows = consumers.map(({ queue, state, note }) => [printable(queue), paint(colours[state], state), printable(note ?? "")]);
  return table([{ title: "CONSUMER" }, { title: "STATE" }, { title: "NOTE" }], rows, paint);
}

/** Formats the events that led to an event, or those that it has caused. */
function relatedTable(title: string, events: readonly RelatedEvent[], paint: Paint): string[] {
  if (events.length === 0) return [];
  const rows = events.map(({ id, type, subject }) => [printable(id), printable(type), String(subject)]);
  return ["", table([{ title }, { title: "TYPE" }, { title: "RECORD", align: "right" }], rows, paint)];
}

/** Formats a time as `2026-02-18 18:23:45.123`, in this machine's time zone. */
function clock(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "?" : `${localTime(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function elapsed(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : duration(ms);
}
