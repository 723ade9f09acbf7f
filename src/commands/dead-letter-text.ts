import type { DeadLetter } from "../delivery/dead-letters";
import { ago, counted, number } from "../observe/amounts";
import { printable, printableLines } from "../observe/terminal";
import { parseTime } from "../schema/time";
import { cut, table } from "./table";
import { type Paint, printableJson, zonedTime } from "./text";

/** Width from which a table of dead letters has room for their errors. */
const wideEnough = 120;

/**
 * Formats dead letters as a table, or as two lines each on a terminal that is too narrow for it.
 *
 * @param width Width of the terminal; undefined to cut nothing.
 */
export function listDeadLetters(letters: readonly DeadLetter[], paint: Paint, width: number | undefined, now: number): string {
  const rows = letters.map(({ id, type, reason }) => [printable(id), printable(type ?? "?"), printable(reason)]);
  const failed = letters.map(({ lastFailure, error }) => ({ when: ago(lastFailure, now), error: printable(error) }));
  const columns = [{ title: "ID" }, { title: "TYPE" }, { title: "REASON" }];
  if (width === undefined || width >= wideEnough) {
    const more = [{ title: "ATTEMPTS", align: "right" as const }, { title: "FAILED" }, { title: "ERROR" }];
    const full = letters.map(({ attempts }, n) => [...(rows[n] ?? []), String(attempts), failed[n]?.when ?? "", failed[n]?.error ?? ""]);
    return table([...columns, ...more], full, paint, width);
  }
  const [titles, ...lines] = table(columns, rows, paint).split("\n");
  const second = letters.map(({ attempts }, n) => `  ${counted(attempts, "attempt")}, ${failed[n]?.when}: ${failed[n]?.error}`);
  return [titles, ...lines.flatMap((line, n) => [line, paint("dim", cut(second[n] ?? "", width))])].join("\n");
}

/** Formats all details of a dead letter. */
export function showDeadLetter(letter: DeadLetter, queue: string, paint: Paint, now: number): string {
  const { id, type, reason, error, attempts, firstFailure, lastFailure, bodyBytes } = letter;
  const facts: [string, string][] = [
    ["Queue", printable(queue)],
    ["Type", printable(type ?? "not in the message")],
    ["Reason", paint("red", printable(reason))],
    ["Error", printableLines(error).join("\n                 ")],
    ["Attempts", String(attempts)],
    ["First failure", failure(firstFailure, now)],
    ["Last failure", failure(lastFailure, now)],
    ["Size", `${number(bodyBytes)} bytes`],
  ];
  return [
    paint("bold", `Dead letter ${printable(id) || "without an id"}`),
    ...facts.map(([name, value]) => `  ${name.padEnd(15)}${value}`),
    ...(letter.stack === null ? [] : ["", paint("bold", "Stack"), indented(printableLines(letter.stack))]),
    "",
    paint("bold", "Body") + paint("dim", bodyNote(letter)),
    indented(bodyLines(letter)),
  ].join("\n");
}

function failure(time: string | null, now: number): string {
  const at = time === null ? undefined : parseTime(time, "utc");
  return at ? `${zonedTime(at)} (${ago(at.toISOString(), now)})` : "not in the message";
}

function bodyNote({ bodyEncoding, body, bodyBytes }: DeadLetter): string {
  if (bodyEncoding === "json") return "";
  const shown = bodyEncoding === "text" ? Buffer.byteLength(String(body)) : Math.floor((String(body).length / 4) * 3);
  const cut = shown < bodyBytes - 2 ? `, the first ${number(shown)} of ${number(bodyBytes)} bytes` : "";
  return bodyEncoding === "text" ? `  text${cut || ", as sent"}` : `  not text, shown as base64${cut}`;
}

function bodyLines({ body, bodyEncoding }: DeadLetter): string[] {
  if (bodyEncoding === "json") return printableJson(body).split("\n");
  return bodyEncoding === "text" ? printableLines(String(body)) : (String(body).match(/.{1,100}/g) ?? []);
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`.trimEnd()).join("\n");
}
