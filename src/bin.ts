#!/usr/bin/env bun
// `warren NAME …` in a project that installs the library as a package; the same as `bun run NAME …` in a clone.

const programs: Readonly<Record<string, string>> = {
  build: "./commands/build.ts",
  contracts: "./commands/contracts.ts",
  "dead-letters": "./commands/dead-letters.ts",
  dev: "./commands/dev.ts",
  doctor: "./commands/doctor.ts",
  erase: "./commands/erase.ts",
  events: "./commands/events.ts",
  export: "./commands/export.ts",
  generate: "./commands/generate.ts",
  import: "./commands/import.ts",
  "migrate-to-postgres": "./commands/migrate-to-postgres.ts",
  new: "./commands/new.ts",
  queues: "./commands/queues.ts",
  replay: "./commands/replay.ts",
  start: "./main.ts",
  status: "./commands/status.ts",
};

const help = `Runs a program of Warren in the project of this folder.

  warren dev                  generates, starts the API, and restarts it when a file changes
  warren start                starts the API for production
  warren generate             writes the generated modules; --check only compares
  warren new                  writes the files of a new resource, action, consumer or service, each with a test
  warren build                makes one executable, dist/warren
  warren contracts            check or update: guards the published events
  warren status               shows the whole system
  warren doctor               checks this machine, the project and the running system
  warren dead-letters         lists, shows, redrives and discards dead letters
  warren events               shows the timeline of an event
  warren queues               lists and removes the queues of consumers
  warren replay               sends past events to one queue again
  warren erase                takes all data of one record, such as a customer, out of the service
  warren export               writes the records of a resource as lines of JSON
  warren import               creates records from lines of JSON
  warren migrate-to-postgres  moves all data from SQLite to PostgreSQL

Each has --help. A consumer is a file of its own: bun run consumers/NAME.ts`;

const [name] = process.argv.slice(2);
const program = programs[name ?? ""];
if (program) {
  process.argv.splice(2, 1);
  if (name === "start") process.env["NODE_ENV"] ??= "production";
  await import(program);
} else {
  const { runCommand, UsageError } = await import("./observe/command-line");
  await runCommand(help, () => {
    if (name !== undefined) throw new UsageError(`Unknown command "${name}".`);
    console.log(help);
    return 0;
  });
}

export {};
