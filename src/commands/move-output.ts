import { number } from "../observe/amounts";
import { printable, tell } from "../observe/terminal";
import type { ServerInspection } from "../store/inspection";
import type { ConsumerMoveSource } from "../store/moving/consumer-move";
import type { MoveProgress } from "../store/moving/move";
import type { MoveSource } from "../store/moving/move-source";
import type { MoveStanding, MoveTarget } from "../store/moving/move-target";
import { nameOf } from "../store/moving/moved-tables";
import { paint } from "./output";
import { ProgressReport } from "./progress";
import { table } from "./table";

/** Minimum time between two lines of progress with --json, in milliseconds. */
const lineEveryMs = 1000;

/** Prints the steps of a move: as text, or as lines of JSON. */
export class MoveOutput {
  #report: ProgressReport | undefined;
  #step: string | undefined;
  #lineAt = Number.NEGATIVE_INFINITY;

  constructor(readonly isJson: boolean) {}

  say(text: string, line: object): void {
    console.log(this.isJson ? JSON.stringify(line) : printable(text));
  }

  warn(text: string): void {
    tell(`Warning: ${text}`);
  }

  plan(source: MoveSource, target: MoveTarget, { product }: ServerInspection, standing: MoveStanding): void {
    const { end, pruned, logId } = source.state;
    const tables = source.tables.map(({ table, rows }) => ({ table: nameOf(table), rows }));
    if (this.isJson) {
      const { bytes } = source;
      console.log(
        JSON.stringify({ step: "plan", from: source.shown, bytes, to: target.shown, product, standing, logId, pruned, end, tables }),
      );
      return;
    }
    console.log(printable(`From ${source.shown}, ${number(Math.ceil(source.bytes / 1e6))} MB`));
    console.log(printable(`To   ${target.shown}, ${product}`));
    const lines = tables.map(({ table: name, rows: count }) => [
      name,
      number(count),
      name === "events" && end > 0 ? `after position ${pruned}, up to ${end}` : "",
    ]);
    console.log(table([{ title: "TABLE" }, { title: "ROWS", align: "right" }, { title: "" }], lines, paint));
    if (standing === "unfinished") console.log("An earlier move was interrupted. This one goes on.");
    if (standing === "outdated")
      console.log("An earlier move was interrupted, and the source has changed since. This one copies everything anew.");
  }

  consumers(sources: readonly ConsumerMoveSource[]): void {
    if (this.isJson) {
      for (const { queue, shown, rows, own } of sources) console.log(JSON.stringify({ step: "consumer", queue, from: shown, rows, own }));
    } else if (sources.length > 0) {
      const lines = sources.map(({ queue, rows, own }) => [
        printable(queue),
        ...[rows.waiting, rows.dead, rows.inbox].map(number),
        printable(own.map(({ name, rows: count }) => `${name} (${number(count)})`).join(", ")),
      ]);
      const right = { align: "right" } as const;
      const columns = [
        { title: "QUEUE" },
        { title: "WAITING", ...right },
        { title: "DEAD", ...right },
        { title: "INBOX", ...right },
        { title: "TABLES" },
      ];
      console.log(table(columns, lines, paint));
    }
  }

  progress({ step, table: name, rows, of }: MoveProgress): void {
    if (this.isJson) this.#line({ step, table: name, rows, of }, rows === of);
    else this.#draw(step, "row", of === 0 ? 1 : rows / of, rows);
  }

  /** Shows that entries were made for so many records of a declaration, such as `The index "name" of "author"`. */
  built(declaration: string, records: number): void {
    if (this.isJson) this.#line({ step: "preparing", declaration, records }, false);
    else this.#draw("preparing", "record", null, records);
  }

  #line(line: object, isLast: boolean): void {
    const now = performance.now();
    if (now - this.#lineAt < lineEveryMs && !isLast) return;
    this.#lineAt = now;
    console.log(JSON.stringify(line));
  }

  #draw(step: string, what: string, share: number | null, count: number): void {
    if (this.#step !== step) {
      this.endProgress();
      tell(`${step[0]?.toUpperCase()}${step.slice(1)}`);
      this.#report = new ProgressReport(what);
      this.#step = step;
    }
    this.#report?.update(share, count);
  }

  endProgress(): void {
    this.#report?.end();
  }
}
