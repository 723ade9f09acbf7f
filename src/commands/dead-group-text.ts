import type { DeadGroupList } from "../delivery/dead-groups";
import { ago, number } from "../observe/amounts";
import { printable } from "../observe/terminal";
import { table } from "./table";
import type { Paint } from "./text";

/**
 * Formats the groups of a queue's dead letters.
 *
 * @param width Width of the terminal; undefined to cut nothing.
 * @param now milliseconds since 1970.
 */
export function groupsText(
  { groups, matched, looked, complete }: DeadGroupList,
  queue: string,
  paint: Paint,
  width: number | undefined,
  now: number,
): string {
  if (groups.length === 0) return `"${printable(queue)}" has no dead letters${looked > 0 ? " that match" : ""}.`;
  const columns = [
    { title: "DEAD", align: "right" as const },
    { title: "FAILED" },
    { title: "REASON" },
    { title: "KEY" },
    { title: "ERROR" },
  ];
  const rows = groups.map(({ count, lastFailure, reason, group, error }) => [
    paint("red", number(count)),
    ago(lastFailure, now),
    printable(reason),
    group,
    printable(error),
  ]);
  const notes = [
    ...(complete ? [] : [`Only the oldest ${number(looked)} dead letters were searched.`]),
    ...(matched > groups.reduce((sum, { count }) => sum + count, 0) ? ["Smaller groups are left out."] : []),
  ];
  return [table(columns, rows, paint, width), ...(notes.length > 0 ? ["", ...notes.map((note) => paint("dim", note))] : [])].join("\n");
}
