/** A command of the `warren` program. */
export interface CommandProgram {
  /** Text for the list of commands. */
  readonly about: string;
  /** Runs the command. It reads `process.argv`, and ends the process. */
  load(): Promise<unknown>;
}

/** The commands that look at the system or change it. They need no files of the project, so that an executable has them too. */
export const systemCommands: Readonly<Record<string, CommandProgram>> = {
  status: { about: "shows the whole system", load: () => import("./status") },
  doctor: { about: "checks this machine, the project and the running system", load: () => import("./doctor") },
  "dead-letters": { about: "lists, shows, redrives and discards dead letters", load: () => import("./dead-letters") },
  events: { about: "shows the timeline of an event", load: () => import("./events") },
  queues: { about: "lists, removes and converts the queues of consumers", load: () => import("./queues") },
  replay: { about: "sends past events to one queue again", load: () => import("./replay") },
  schedules: { about: "lists, shows and removes the schedules of consumers", load: () => import("./schedules") },
  timers: { about: "lists, shows and cancels the events to publish later", load: () => import("./timers") },
  erase: { about: "takes all data of one record, such as a customer, out of the service", load: () => import("./erase") },
  export: { about: "writes the records of a resource as lines of JSON", load: () => import("./export") },
  import: { about: "creates records from lines of JSON", load: () => import("./import") },
  "migrate-to-postgres": { about: "moves all data from SQLite to PostgreSQL", load: () => import("./migrate-to-postgres") },
};

/** Returns the program with a name, or undefined if there is none. */
export function programNamed<Program>(programs: Readonly<Record<string, Program>>, name = ""): Program | undefined {
  return Object.hasOwn(programs, name) ? programs[name] : undefined;
}

/** Returns the lines of a list of programs, each with its text in one column. */
export function listPrograms(prefix: string, programs: Readonly<Record<string, Pick<CommandProgram, "about">>>): string {
  const width = Math.max(0, ...Object.keys(programs).map(({ length }) => length));
  return Object.entries(programs)
    .map(([name, { about }]) => `  ${prefix}${name.padEnd(width)}  ${about}`.trimEnd())
    .join("\n");
}
