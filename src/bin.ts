#!/usr/bin/env bun
// `warren NAME …` in a project that installs the library as a package; the same as `bun run NAME …` in a clone.
import { type CommandProgram, listPrograms, programNamed, systemCommands } from "./commands/programs";
import { runCommand, UsageError } from "./observe/command-line";

const programs: Readonly<Record<string, CommandProgram>> = {
  dev: { about: "generates, starts the API, and restarts it when a file changes; --consumers", load: () => import("./commands/dev") },
  start: { about: "starts the API for production", load: () => import("./start") },
  generate: { about: "writes the generated modules; --check only compares", load: () => import("./commands/generate") },
  new: {
    about: "writes the files of a new resource, action, consumer or service, each with a test",
    load: () => import("./commands/new"),
  },
  build: { about: "makes one executable, dist/warren; --start prepares start", load: () => import("./commands/build") },
  contracts: { about: "check or update: guards the published events", load: () => import("./commands/contracts") },
  ...systemCommands,
};

const help = `Runs a program of Warren in the project of this folder.

${listPrograms("warren ", programs)}

Each has --help. A consumer is a file of its own: bun run consumers/NAME.ts`;

const [name] = process.argv.slice(2);
const program = programNamed(programs, name);
if (program) {
  process.argv.splice(2, 1);
  if (name === "start") process.env["NODE_ENV"] ??= "production";
  await program.load();
} else {
  await runCommand(help, () => {
    if (name !== undefined) throw new UsageError(`Unknown command "${name}". Commands: ${Object.keys(programs).join(", ")}.`);
    console.log(help);
    return 0;
  });
}
