import { mostCounted } from "../delivery/timer-state";
import { counted, duration, number } from "../observe/amounts";
import { printable } from "../observe/terminal";
import { isLeftAlone, type Need } from "../status/system-needs";
import type { ObservedQueue, SystemState } from "../status/system-state";
import type { ScheduleState } from "../store/schedule-times";
import { backlogCells, backlogColumns } from "./queue-columns";
import { table } from "./table";
import type { Paint } from "./text";

/**
 * Formats the state of the system.
 *
 * @param width Width of the terminal; undefined to break no lines.
 */
export function statusText(state: SystemState, needs: readonly Need[], paint: Paint, width: number | undefined): string {
  return [...facts(state, paint), "", queuesText(state, paint, width), "", ...needsText(needs, paint, width)].join("\n");
}

function facts({ at, transport, broker, api, database, log, relay, timers, schedules }: SystemState, paint: Paint): string[] {
  const lines: [string, string][] = [["Transport", `${transport.name}, because ${transport.reason}`]];
  if (broker) {
    const state =
      broker.state === "connected" ? `connected to ${broker.node}` : paint("red", broker.state === "blocked" ? "blocked" : "away");
    lines.push(["Broker", `${state}${broker.error === null ? "" : ` (${printable(broker.error)})`}`]);
  }
  lines.push(["API", apiText(api)]);
  lines.push(["Event log", log ? `${counted(log.events, "event")} so far, ${perSecond(log.perSecond)}, in ${database}` : "none yet"]);
  if (relay) lines.push(["Relay", `${relayText(relay)}, ${perSecond(relay.perSecond)} confirmed`]);
  if (timers && timers.waiting + timers.problems > 0) lines.push(["Timers", timersText(timers, Date.parse(at))]);
  if (schedules.length > 0) lines.push(["Schedules", schedulesText(schedules, Date.parse(at), paint)]);
  return lines.map(([name, text]) => `${paint("bold", name.padEnd(10))} ${text}`);
}

function apiText({ running, processes }: SystemState["api"]): string {
  if (!running) return "not running";
  if (!processes || processes.length === 0) return "running";
  const relaying = processes.find(({ leads }) => leads.includes("relay"));
  const who = relaying ? `; process ${relaying.pid} on ${printable(relaying.host)} sends to RabbitMQ` : "";
  return `running in ${number(processes.length)} ${processes.length === 1 ? "process" : "processes"}${who}`;
}

function relayText({ events, ageSeconds }: NonNullable<SystemState["relay"]>): string {
  if (events === 0) return "nothing waits for RabbitMQ";
  return `${counted(events, "event")} ${events === 1 ? "waits" : "wait"} for RabbitMQ, the oldest for ${duration(ageSeconds * 1000)}`;
}

function timersText({ waiting, problems, nextAt, lateSeconds }: NonNullable<SystemState["timers"]>, now: number): string {
  const some = (count: number) => `${number(count)}${count === mostCounted ? " or more" : ""}`;
  const first = lateSeconds > 0 ? `due for ${duration(lateSeconds * 1000)}` : `due in ${duration(Date.parse(nextAt ?? "") - now)}`;
  const waits = waiting === 0 ? "none waits" : `${some(waiting)} ${waiting === 1 ? "waits" : "wait"}, the first is ${first}`;
  return problems > 0 ? `${waits}; ${some(problems)} cannot be published` : waits;
}

function schedulesText(schedules: SystemState["schedules"], now: number, paint: Paint): string {
  const some = (state: ScheduleState) => schedules.filter((schedule) => schedule.state === state);
  const [first] = some("waiting")
    .flatMap(({ nextAt }) => nextAt ?? [])
    .toSorted();
  const [running, stopped] = [some("running").length, some("stopped").length];
  return [
    `${number(schedules.length)}${first === undefined ? "" : `, the next time is in ${duration(Date.parse(first) - now)}`}`,
    ...(running > 0 ? [`${number(running)} not done yet`] : []),
    ...(stopped > 0 ? [paint("red", `${number(stopped)} stopped`)] : []),
  ].join("; ");
}

function queuesText({ queues, broker }: SystemState, paint: Paint, width: number | undefined): string {
  if (queues === null) return "Queues unknown: cannot reach RabbitMQ.";
  if (queues.length === 0) return "No queues found. A consumer creates its queue when it first runs.";
  const right = { align: "right" } as const;
  const columns = [
    ...backlogColumns,
    { title: "CONSUMERS", ...right },
    // RabbitMQ does not report the age of messages.
    ...(broker ? [] : [{ title: "OLDEST", ...right }]),
    { title: "CHANGE", ...right },
    { title: "QUEUE" },
  ];
  const rows = queues.map((queue) => [
    ...backlogCells(queue, paint),
    isLeftAlone(queue) ? paint("red", "0") : number(queue.consumers),
    ...(broker ? [] : [oldest(queue)]),
    perSecond(queue.perSecond, "+"),
    printable(queue.queue),
  ]);
  return table(columns, rows, paint, width);
}

function oldest({ oldestSeconds }: ObservedQueue): string {
  return oldestSeconds === null ? "–" : duration(oldestSeconds * 1000);
}

function needsText(needs: readonly Need[], paint: Paint, width: number | undefined): string[] {
  if (needs.length === 0) return [paint("green", "Nothing needs attention.")];
  const title = needs.length === 1 ? "1 problem needs attention:" : `${needs.length} problems need attention:`;
  const indent = "  ";
  const broken = (text: string) => (width === undefined ? [text] : Bun.wrapAnsi(text, width - indent.length - 1).split("\n"));
  const lines = needs.flatMap(({ what, todo }) => [
    ...broken(printable(what)).map((line) => indent + paint("red", line)),
    ...broken(printable(todo)).map((line) => indent + line),
  ]);
  return [paint("bold", title), ...lines];
}

/**
 * Formats a rate, such as `12/s` or `0.4/s`.
 *
 * @param sign Prefix of a rate above 0.
 */
export function perSecond(rate: number, sign = ""): string {
  const text = rate !== 0 && Math.abs(rate) < 10 ? rate.toFixed(1).replace(/^-?0\.0$/, "0") : number(rate).replace(/^-0$/, "0");
  return `${rate > 0 && text !== "0" ? sign : ""}${text}/s`;
}
