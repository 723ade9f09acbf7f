// Text from outside never moves a cursor, forges a line or reverses text on a terminal or in a log.
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatEvent } from "../consumers/logger";
import { listDeadLetters, showDeadLetter } from "../src/commands/dead-letter-text";
import { painter, printableJson } from "../src/commands/text";
import type { DeadLetter } from "../src/delivery/dead-letters";
import { createLog } from "../src/observe/logging";
import { printable } from "../src/observe/terminal";
import { eventually } from "./support/processes";
import { useFolder } from "./support/use-folder";

/** Escape, bell, backspace, carriage return, DEL, C1 (CSI, NEL), separators of lines, and marks of direction. */
const obeyed = [
  "\x1b[2J",
  "\x07",
  "\b",
  "\r",
  "\x7f",
  "\x9b2J",
  "\x85",
  "\u2028",
  "\u2029",
  "\u061c",
  "\u200e",
  "\u200f",
  "\u202e",
  "\u2066",
  "\u2069",
];
const evil = `a${obeyed.join("b")}c`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const dangerous = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const folder = useFolder();

test("text for a person has escapes instead, and reads on", () => {
  expect(printable(evil)).not.toMatch(dangerous);
  expect(printable("Grüße, 日本語, עברית, 👩‍👩‍👧")).toBe("Grüße, 日本語, עברית, 👩‍👩‍👧");
  expect(JSON.parse(printableJson({ [evil]: evil }))).toEqual({ [evil]: evil });
  expect(printableJson({ evil })).not.toMatch(dangerous);
});

test("dead letters whose id, type, reason and error are not to be trusted", () => {
  const letter: DeadLetter = {
    ...{ id: evil, type: evil, reason: evil, error: evil, stack: evil, attempts: 1, firstFailure: null, lastFailure: null },
    ...{ body: { [evil]: evil }, bodyEncoding: "json", bodyBytes: 1 },
  };
  const paint = painter(false);
  expect(showDeadLetter(letter, "audit", paint, 0)).not.toMatch(dangerous);
  expect(listDeadLetters([letter], paint, 100, 0)).not.toMatch(dangerous);
  expect(printableJson({ deadLetters: [letter] })).not.toMatch(dangerous);
});

test("the line of the logger", () => {
  const event = { id: evil, type: "item.created", version: 1, timestamp: "2026-02-18T18:23:45.123Z", item: { id: 1, name: evil } };
  expect(formatEvent(event as never, false)).not.toMatch(dangerous);
});

test.each(["json", "pretty"] as const)("a log in the format %s, whose lines still mean the same", async (format) => {
  const file = join(folder.path, "log");
  const fd = openSync(file, "a");
  const log = createLog({ level: "info", format, stream: fd as 1 });
  log.info({ event: evil, headers: { [evil]: [evil] }, error: evil, stack: `Error: ${evil}\n    at ${evil}` }, `Given up: ${evil}`);
  log.info("the end");
  const text = await eventually(() => {
    const written = readFileSync(file, "utf8");
    return written.includes("the end") && written.endsWith("\n") ? written : undefined;
  }, "the last line");
  closeSync(fd);
  expect(Bun.stripANSI(text)).not.toMatch(dangerous);
  if (format === "json")
    expect(JSON.parse(text.split("\n")[0] as string)).toMatchObject({ event: evil, error: evil, msg: `Given up: ${evil}` });
  else expect(Bun.stripANSI(text)).toContain(String.raw`Given up: a\u001b[2Jb\u0007b\u0008b\u000db\u007f`);
});

test("what a command or a consumer says of its own mistakes", async () => {
  const script = `import { runCommand } from "./src/observe/command-line"; await runCommand("", async () => { throw new Error(${JSON.stringify(evil)}); });`;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd: join(import.meta.dir, ".."), stderr: "pipe" });
  const said = await new Response(child.stderr).text();
  expect([await child.exited, said.length > evil.length]).toEqual([1, true]);
  expect(said).not.toMatch(dangerous);
});
