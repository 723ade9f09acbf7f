// Output of the commands: tables, times, progress.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { quoted } from "../src/commands/command";
import { listDeadLetters, showDeadLetter } from "../src/commands/dead-letter-text";
import { ProgressReport } from "../src/commands/progress";
import { cut, table } from "../src/commands/table";
import { painter, printableJson, zonedTime } from "../src/commands/text";
import { listTimers, showTimer } from "../src/commands/timer-text";
import type { DeadLetter } from "../src/delivery/dead-letters";
import type { ShownTimer } from "../src/delivery/shown-timers";
import { ago, counted, duration } from "../src/observe/amounts";
import { anyText } from "./support/arbitrary";

const plain = painter(false);

describe("a table", () => {
  test("has aligned columns, also where characters are wide or have none of their own", () => {
    const rows = [
      ["日本", "1", "x"],
      ["cafe\u0301", "22", "y"],
    ];
    expect(table([{ title: "NAME" }, { title: "N", align: "right" }, { title: "LAST" }], rows, plain).split("\n")).toEqual([
      "NAME   N  LAST",
      "日本   1  x",
      "cafe\u0301  22  y",
    ]);
  });

  test("fits into a terminal: its last column is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 20 }), anyText({ maxLength: 300 }))),
        fc.integer({ min: 40, max: 200 }),
        (rows, width) => {
          const printable = rows.map(([id, error]) => [id, error.toWellFormed().replace(/[\p{C}\p{Z}]/gu, " ")]);
          for (const line of table([{ title: "ID" }, { title: "ERROR" }], printable, plain, width).split("\n")) {
            expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });

  test("cuts no text that fits", () => {
    expect([cut("abc", 3), cut("abcd", 3), cut("日本語", 5)]).toEqual(["abc", "ab…", "日本…"]);
  });
});

describe("events to publish later", () => {
  const now = Date.parse("2026-02-18T18:00:00Z");
  const timer = {
    ...{ number: 12, type: "order.expired", id: 7, dueAt: "2026-02-20T18:00:00.000Z", key: "expire:7", data: { why: "\u001b[31m" } },
    ...{ actor: "ada", cause: null, problem: null },
  };
  const late = { ...timer, number: 3, dueAt: "2026-02-18T17:57:00.000Z", key: null };

  test("in a table, with the problem if one has any", () => {
    const cells = (line = "") => line.split(/ {2,}/).map((cell) => cell.trim());
    const rows = (...timers: ShownTimer[]) => listTimers(timers, plain, undefined, now).split("\n").map(cells);
    const due = (each: ShownTimer) => zonedTime(new Date(each.dueAt));
    expect(rows(late, timer)).toEqual([
      ["TIMER", "DUE", "IN", "EVENT", "RECORD", "KEY"],
      ["", "3", due(late), "3 min late", "order.expired", "7"],
      ["", "12", due(timer), "2 days", "order.expired", "7", "expire:7"],
    ]);
    const hindered = { ...late, key: "k", problem: "no\u001b event" };
    expect(rows(hindered)[0]?.at(-1)).toBe("PROBLEM");
    expect(rows(hindered)[1]?.slice(-2)).toEqual(["k", "no\\u001b event"]);
  });

  test("in full, with nothing that the terminal would interpret", () => {
    const text = showTimer({ ...timer, problem: "why" }, plain, now);
    expect(text.split("\n").map((line) => line.trim())).toEqual([
      ...["Timer 12", "Event      order.expired", "Record     7", `Due        ${zonedTime(new Date(timer.dueAt))} (in 2 days)`],
      ...["Key        expire:7", "Set by     ada", "Problem    why", "", "Data", "{", '"why": "\\u001b[31m"', "}"],
    ]);
    expect(showTimer({ ...late, actor: null, cause: "0198" }, plain, now)).toMatch(
      /\(3 min late\)\n +Key +none\n +Set by +the service\n +Cause +0198\n/,
    );
  });
});

describe("numbers and times for a person", () => {
  test("counts", () => {
    expect([counted(0, "event"), counted(1, "event"), counted(1_234_567, "event")]).toEqual(["0 events", "1 event", "1,234,567 events"]);
  });

  test("durations: short, and never in two units", () => {
    const all = [0, 400, 1000, 89_000, 91_000, 3_600_000, 5_500_000, 86_400_000, 130_000_000, 10 * 86_400_000].map(duration);
    expect(all).toEqual(["0 s", "0 s", "1 s", "89 s", "2 min", "60 min", "2 h", "24 h", "2 days", "10 days"]);
  });

  test("ages are never negative, even if a clock is ahead", () => {
    const now = Date.parse("2026-11-24T12:00:00Z");
    const times = ["2026-11-24T11:59:57Z", "2026-11-24T11:00:00Z", "2026-11-24T12:00:30Z", "never", null];
    expect(times.map((time) => ago(time, now))).toEqual(["3 s ago", "60 min ago", "just now", "", ""]);
  });
});

describe("JSON for a terminal", () => {
  test("keeps its meaning and has no control characters", () => {
    fc.assert(
      fc.property(fc.record({ text: anyText({ maxLength: 50 }), more: fc.jsonValue() }), (value) => {
        const text = printableJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
      }),
    );
  });
});

describe("words for a shell", () => {
  test("are taken by a shell as they were", async () => {
    const words = ["plain", "item.*", "it's", "$HOME `x`", "", "a b", "日本"];
    const shell = Bun.spawn(["sh", "-c", `printf '%s\\n' ${quoted(words)}`], { stdout: "pipe" });
    expect(await shell.stdout.text()).toBe(`${words.join("\n")}\n`);
  });
});

describe("progress", () => {
  /** A stream that remembers, and a clock that the test moves. */
  function watched(isTTY: boolean, columns = 80) {
    const written: string[] = [];
    const clock = { ms: 0 };
    const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
    return { written, clock, progress: new ProgressReport("event", stream, () => clock.ms) };
  }

  test("on a terminal: one line, drawn again at most ten times a second, with rate and time left of the last seconds", () => {
    const { written, clock, progress } = watched(true);
    for (; clock.ms <= 20_000; clock.ms += 10) progress.update(clock.ms / 40_000, clock.ms * 2);
    expect(written.length).toBeGreaterThan(190);
    expect(written.length).toBeLessThanOrEqual(201);
    expect(written.every((text) => text.startsWith("\r\x1b[2K") && !text.includes("\n"))).toBe(true);
    expect(written.at(-1)).toBe(`\r\x1b[2K${"█".repeat(12)}${"░".repeat(12)} 50 %  40,000 events  2,000/s  20 s left`);
    progress.note("Something happened.");
    expect(written.slice(-2)).toEqual(["\r\x1b[2K", "Something happened.\n"]);
    progress.end();
    expect(written.at(-1)).toBe("Something happened.\n");
  });

  test("on a terminal: never wider than it is", () => {
    const { written, clock, progress } = watched(true, 30);
    for (; clock.ms <= 5000; clock.ms += 100) progress.update(0.5, 1e12);
    for (const text of written) expect(Bun.stringWidth(Bun.stripANSI(text.replace("\r", "")))).toBeLessThan(30);
  });

  test("in a pipe: a line every five seconds, and none for what is quickly done", () => {
    const { written, clock, progress } = watched(false);
    for (; clock.ms < 4900; clock.ms += 100) progress.update(clock.ms / 20_000, clock.ms / 10);
    expect(written).toEqual([]);
    for (; clock.ms < 14_900; clock.ms += 100) progress.update(clock.ms / 20_000, clock.ms / 10);
    progress.end();
    expect(written).toEqual([" 25 %  500 events  100/s  15 s left\n", " 50 %  1,000 events  100/s  10 s left\n"]);
  });

  test("work that goes on where another stopped begins with the share that is done", () => {
    const { written, clock, progress } = watched(false);
    progress.update(0.5, 0);
    clock.ms = 10_000;
    progress.update(0.75, 1000);
    expect(written).toEqual([" 75 %  1,000 events  100/s  10 s left\n"]);
  });
});

describe("a dead letter", () => {
  const letter: DeadLetter = {
    id: "0198c0de-0000-7000-8000-000000000001",
    type: null,
    reason: "not-json",
    error: "first line\nsecond\u001b[2J",
    stack: null,
    attempts: 0,
    firstFailure: null,
    lastFailure: "2026-02-18T18:24:01.456Z",
    body: "half a {\u0007",
    bodyEncoding: "text",
    bodyBytes: 9,
  };
  const now = Date.parse("2026-02-18T18:30:00Z");

  test("shows missing details as missing", () => {
    const text = showDeadLetter(letter, "stock", plain, now);
    expect(text).toContain("  Type           not in the message\n");
    expect(text).toContain("  Error          first line\n                 second\\u001b[2J\n");
    expect(text).toContain("  First failure  not in the message\n");
    expect(text).toMatch(/ {2}Last failure {3}.* \(6 min ago\)\n/);
    expect(text).not.toContain("Stack");
    expect(text).toEndWith("Body  text, as sent\n  half a {\\u0007");
  });

  test("says how much of a long body is not shown", () => {
    const long = { ...letter, body: "x".repeat(65_536), bodyBytes: 1_000_000 };
    expect(showDeadLetter(long, "stock", plain, now)).toContain("Body  text, the first 65,536 of 1,000,000 bytes\n");
    const bytes = { ...letter, body: Buffer.from([0xff, 0xfe]).toString("base64"), bodyEncoding: "base64" as const, bodyBytes: 2 };
    expect(showDeadLetter(bytes, "stock", plain, now)).toEndWith("Body  not text, shown as base64\n  //4=");
  });

  test("takes two lines on a narrow terminal", () => {
    const lines = listDeadLetters([{ ...letter, type: "item.created", attempts: 1 }], plain, 80, now).split("\n");
    expect(lines).toEqual([
      `ID${" ".repeat(34)}  TYPE          REASON`,
      "0198c0de-0000-7000-8000-000000000001  item.created  not-json",
      "  1 attempt, 6 min ago: first line\\u000asecond\\u001b[2J",
    ]);
  });
});
