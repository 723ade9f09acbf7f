import type { ShownTimer } from "../delivery/shown-timers";
import { duration } from "../observe/amounts";
import { printable, printableLines } from "../observe/terminal";
import { table } from "./table";
import { type Paint, printableJson, zonedTime } from "./text";

/**
 * Formats timers as a table.
 *
 * @param width Width of the terminal; undefined to cut nothing.
 */
export function listTimers(timers: readonly ShownTimer[], paint: Paint, width: number | undefined, now: number): string {
  const hasProblem = timers.some(({ problem }) => problem !== null);
  const right = { align: "right" } as const;
  const columns = [
    ...[{ title: "TIMER", ...right }, { title: "DUE" }, { title: "IN", ...right }],
    ...[{ title: "EVENT" }, { title: "RECORD", ...right }, { title: "KEY" }],
    ...(hasProblem ? [{ title: "PROBLEM" }] : []),
  ];
  const rows = timers.map(({ number, dueAt, type, id, key, problem }) => [
    ...[String(number), zonedTime(new Date(dueAt)), problem === null ? untilDue(dueAt, now) : "", printable(type), String(id)],
    ...[printable(key ?? ""), ...(hasProblem ? [problem === null ? "" : paint("red", printable(problem))] : [])],
  ]);
  return table(columns, rows, paint, width);
}

/** Formats all details of a timer. */
export function showTimer(timer: ShownTimer, paint: Paint, now: number): string {
  const { number, dueAt, type, id, key, data, actor, cause, problem } = timer;
  const facts: [string, string][] = [
    ["Event", printable(type)],
    ["Record", String(id)],
    ["Due", `${zonedTime(new Date(dueAt))} (${isLate(dueAt, now) ? untilDue(dueAt, now) : `in ${untilDue(dueAt, now)}`})`],
    ["Key", key === null ? "none" : printable(key)],
    ["Set by", actor === null ? "the service" : printable(actor)],
    ...(cause === null ? [] : [["Cause", printable(cause)] as [string, string]]),
    ...(problem === null ? [] : [["Problem", paint("red", printableLines(problem).join("\n             "))] as [string, string]]),
  ];
  return [
    paint("bold", `Timer ${number}`),
    ...facts.map(([name, value]) => `  ${name.padEnd(11)}${value}`),
    "",
    paint("bold", "Data"),
    ...printableJson(data)
      .split("\n")
      .map((line) => `  ${line}`),
  ].join("\n");
}

function isLate(dueAt: string, now: number): boolean {
  return Date.parse(dueAt) <= now;
}

/** Formats the time until a timer is due, such as `3 days`, or how late it is. */
function untilDue(dueAt: string, now: number): string {
  const ms = Date.parse(dueAt) - now;
  return ms > 0 ? duration(ms) : `${duration(-ms)} late`;
}
