import { ago, duration } from "../observe/amounts";
import { printable } from "../observe/terminal";
import type { ShownSchedule } from "../store/schedule-times";
import { table } from "./table";
import { type Paint, zonedTime } from "./text";

/**
 * Formats schedules as a table.
 *
 * @param width Width of the terminal; undefined to cut nothing.
 */
export function listSchedules(schedules: readonly ShownSchedule[], paint: Paint, width: number | undefined, now: number): string {
  const columns = [
    ...[{ title: "NEXT" }, { title: "IN", align: "right" as const }, { title: "LAST" }, { title: "STATE" }],
    ...[{ title: "PATTERN" }, { title: "TIME ZONE" }, { title: "NAME" }],
  ];
  const rows = schedules.map(({ name, schedule, timeZone, state, nextAt, lastAt }) => [
    ...[
      nextAt === null ? "–" : zonedTime(new Date(nextAt)),
      nextAt === null ? "" : duration(Date.parse(nextAt) - now),
      ago(lastAt, now) || "–",
    ],
    ...[state === "stopped" ? paint("red", state) : state, printable(schedule), printable(timeZone), printable(name)],
  ]);
  return table(columns, rows, paint, width);
}

/** Formats all details of a schedule. */
export function showSchedule(shown: ShownSchedule, paint: Paint, now: number): string {
  const { name, schedule, timeZone, state, nextAt, lastAt, lastEvent, missed, overlap, announcedAt } = shown;
  const time = (at: string | null) => (at === null ? "none" : zonedTime(new Date(at)));
  const facts: [string, string][] = [
    ["Pattern", `${printable(schedule)} in ${printable(timeZone)}`],
    ["State", state === "stopped" ? paint("red", state) : state],
    ["Next", nextAt === null ? "none" : `${time(nextAt)} (in ${duration(Date.parse(nextAt) - now)})`],
    ["Last", lastEvent === null ? "none" : `${time(lastAt)}; bun run events show ${lastEvent}`],
    ["Missed", missed === "once" ? "one event makes up for missed times" : "nothing makes up for missed times"],
    ["Overlap", overlap ? "an event is published although the last one is not done" : "the next event waits until the last one is done"],
    ["Announced", `${time(announcedAt)} (${ago(announcedAt, now)})`],
  ];
  return [paint("bold", `Schedule ${printable(name)}`), ...facts.map(([fact, text]) => `  ${fact.padEnd(11)}${text}`)].join("\n");
}
