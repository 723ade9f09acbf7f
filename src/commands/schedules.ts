import { operatorChanges } from "../changing/operator-changes";
import { type Config, readConfig } from "../config/config";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { type ShownSchedule, shownSchedule } from "../store/schedule-times";
import { Trouble } from "./command";
import { paint, width } from "./output";
import { listSchedules, showSchedule } from "./schedule-text";
import { printableJson } from "./text";
import { existingLog } from "./transport";

const help = `Lists the schedules of consumers, and removes one whose consumer is gone.

  bun run schedules list           every schedule, with its next time and its last event
  bun run schedules show NAME      all details of one; its name is the queue of its consumer
  bun run schedules remove NAME    removes one. A consumer that runs announces it again

Options:
  --json    print JSON
  --help    print this help

STATE: waiting for its next time; running, while the last event is not done; stopped, because no consumer has announced it for 7 days.

Works whether or not the API runs. Finds the database by DATABASE_URL, as the API does.
Exit codes: 0 done, 1 failed or no such schedule, 2 wrong usage.`;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { json: { type: "boolean" } });
  const [command = "", name, ...rest] = positionals;
  if (command !== "list" && command !== "show" && command !== "remove")
    throw new UsageError(command ? `Unknown command "${command}".` : "Missing command: list, show or remove.");
  const unexpected = command === "list" ? name : rest[0];
  if (unexpected !== undefined) throw new UsageError(`Unexpected argument "${unexpected}".`);
  const config = readConfig({ isTerminal: false, listens: false });
  const schedules = await schedulesIn(config);
  if (command === "list") {
    if (values.json) console.log(printableJson({ schedules }));
    else if (schedules.length > 0) console.log(listSchedules(schedules, paint, width, Date.now()));
    else console.log("No schedules found. A consumer announces its schedule when it starts.");
    return 0;
  }
  if (name === undefined) throw new UsageError(`${command} needs the name of a schedule.`);
  const schedule = schedules.find((each) => each.name === name);
  if (!schedule || (command === "remove" && !(await remove(config, name))))
    throw new Trouble(`There is no schedule "${printable(name)}". Known: ${schedules.map((each) => each.name).join(", ") || "none"}.`);
  if (values.json) console.log(printableJson(schedule));
  else console.log(command === "remove" ? `The schedule "${printable(name)}" was removed.` : showSchedule(schedule, paint, Date.now()));
  return 0;
});

async function schedulesIn(config: Config): Promise<ShownSchedule[]> {
  const log = await existingLog(config);
  try {
    return (await log.schedules()).map((schedule) => shownSchedule(schedule, Date.now()));
  } finally {
    log.close();
  }
}

async function remove(config: Config, name: string): Promise<boolean> {
  const changes = await operatorChanges(config, (await loadCatalogue()).resources);
  try {
    return await changes.removeSchedule(name);
  } finally {
    await changes.close();
  }
}
