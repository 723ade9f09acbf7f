// The fault suite notices a program that ends as it must not.
import { afterEach, expect, test } from "bun:test";
import { Program } from "./chaos/program";
import { endAll } from "./support/processes";

afterEach(endAll);

/** Stops a shell that runs these commands with SIGTERM. Returns what is reported of it. */
async function stopped(commands: string): Promise<string[]> {
  const told: string[] = [];
  const program = new Program(
    "it",
    () => ({ args: ["-c", commands], options: { program: "sh" } }),
    "works",
    (detail) => told.push(detail),
  );
  await program.start();
  await program.stop();
  return told;
}

test("a stop with another exit code than 0", async () => {
  expect(await stopped("trap 'exit 0' TERM; echo works; while :; do :; done")).toEqual([]);
  expect(await stopped("echo works; exec sleep 60")).toEqual(["it stopped with 143: works"]);
  expect(await stopped("trap 'exit 1' TERM; echo works; while :; do :; done")).toEqual(["it stopped with 1: works"]);
});

test("an end without a stop", async () => {
  const told = Promise.withResolvers<string>();
  new Program("it", () => ({ args: ["-c", "echo tired; exit 0"], options: { program: "sh" } }), "never said", told.resolve).spawn();
  expect(await told.promise).toBe("it ended by itself, with 0: tired");
});
