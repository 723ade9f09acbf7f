import { basename } from "node:path";
import type { Project } from "./app/project";
import { startApi } from "./app/serve";
import { listPrograms, programNamed, systemCommands } from "./commands/programs";
import { runCommand, UsageError } from "./observe/command-line";
import { type PackageJson, provideAbout } from "./project/about";
import { provideConsumers } from "./project/consumer-files";
import { provideResources } from "./project/resources";
import type { Resource } from "./schema/resource";

/** The files of a project in an executable. */
export interface Contents extends Project {
  /** Loads the files in `consumers/`, by name. */
  readonly consumerFiles: Readonly<Record<string, () => Promise<object>>>;
  readonly packageJson: PackageJson;
  readonly resources: Readonly<Record<string, Resource>>;
}

/**
 * Runs an executable built by `bun run build`: the API, a consumer or a command, as the command line says. The executable contains the
 * project's files.
 */
export async function startExecutable(contents: Contents): Promise<void> {
  provideAbout(contents.packageJson);
  provideConsumers(contents.consumerFiles);
  provideResources(contents.resources);
  const [name, consumer] = process.argv.slice(2);
  const command = programNamed(systemCommands, name);
  if (command) {
    process.argv.splice(2, 1);
    await command.load();
  } else if (name === "consumer") await runConsumerFile(contents, consumer);
  else if (name === undefined || name === "start") {
    process.argv.splice(2, 1);
    await startApi(async () => contents);
  } else {
    const known = ["start", "consumer NAME", ...Object.keys(systemCommands)].join(", ");
    await refuse(contents, `Unknown ${name.startsWith("-") ? "option" : "command"} "${name}". Commands: ${known}.`);
  }
}

/** Runs a file in `consumers/` as the program of this process. */
async function runConsumerFile(contents: Contents, name: string | undefined): Promise<void> {
  const load = programNamed(contents.consumerFiles, name);
  if (load) {
    // The build makes each file compare this with its own name, to find out whether it is the program that runs.
    process.argv.splice(1, 3, `consumers/${name}.ts`);
    await load();
    return;
  }
  const names = Object.keys(contents.consumerFiles);
  const known = names.length === 0 ? "This executable has no consumers." : `Consumers: ${names.join(", ")}.`;
  await refuse(contents, `${name === undefined ? "Missing name of a consumer" : `Unknown consumer "${name}"`}. ${known}`);
}

/** Prints the help if it was asked for. Otherwise refuses the command line. */
async function refuse(contents: Contents, message: string): Promise<never> {
  return runCommand(helpOf(contents), () => {
    throw new UsageError(message);
  });
}

function helpOf({ consumerFiles, consumers }: Contents): string {
  const describe = (file: string) => consumers.find(({ name }) => name === file)?.description ?? `Runs consumers/${file}.ts.`;
  const programs = {
    start: { about: "starts the API, as the program does without arguments" },
    ...Object.fromEntries(Object.keys(consumerFiles).map((file) => [`consumer ${file}`, { about: describe(file) }])),
    ...systemCommands,
  };
  return `Runs the API, a consumer or a command of this service.

${listPrograms(`${basename(process.execPath)} `, programs)}

Each has --help. Environment variables configure them: PORT, HOST, DATABASE_URL, RABBITMQ_URL, API_TOKEN and others.`;
}
