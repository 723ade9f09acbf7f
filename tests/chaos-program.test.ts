// A program under the fault suite: how it may end, and how not.
import { afterEach, expect, test } from "bun:test";
import { Program } from "./chaos/program";
import { endAll } from "./support/processes";

afterEach(endAll);

/** What is told of a program, from a shell's words, that gets SIGTERM. */
async function stopped(words: string, ready?: string): Promise<string[]> {
  const told: string[] = [];
  const program = new Program(
    "it",
    () => ({ args: ["-c", words], options: { program: "sh" } }),
    ready ?? "never said",
    (detail) => told.push(detail),
  );
  if (ready) await program.start();
  else program.spawn();
  await program.stop();
  return told;
}

test("one that works has to end with 0", async () => {
  expect(await stopped("trap 'exit 0' TERM; echo works; while :; do :; done", "works")).toEqual([]);
  expect(await stopped("echo works; exec sleep 60", "works")).toEqual(["it stopped with 143: works"]);
  expect(await stopped("trap 'exit 1' TERM; echo works; while :; do :; done", "works")).toEqual(["it stopped with 1: works"]);
});

test("one that has not come to say a word, and has no handler yet, may end by the signal", async () => {
  expect(await stopped("exec sleep 60")).toEqual([]);
});

test("nor may one end by itself", async () => {
  const told = Promise.withResolvers<string>();
  new Program("it", () => ({ args: ["-c", "echo tired; exit 0"], options: { program: "sh" } }), "never said", told.resolve).spawn();
  expect(await told.promise).toBe("it ended by itself, with 0: tired");
});
