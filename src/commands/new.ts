import { join } from "node:path";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { projectFolder } from "../project/folder";
import { newAction } from "./new/action";
import { addFiles, completeFiles } from "./new/add-files";
import type { Added } from "./new/added";
import { newConsumer } from "./new/consumer";
import { typeHelp } from "./new/fields";
import { newService } from "./new/project";
import { newResource } from "./new/resource";

const help = `Writes the files of something new, each with a test. Never changes a file that exists.

  bun run new resource ticket title:string 'dueAt:date-time?' 'state:open|closed'
                                            src/domain/ticket.ts, routes/tickets.ts and tests/tickets.test.ts
  bun run new action ticket close           routes/tickets/[id]/close.ts, which is POST /tickets/:id/close, and a test
  bun run new consumer reminders ticket.created
                                            consumers/reminders.ts with a queue of its own, and a test
  bun run new service ../shop               a project of your own, with this library as a package in it

Options:
  --plural NAME   resource: plural, where the regular one is wrong, such as people for person
  --help          print this help

Fields are NAME:TYPE. Types:
  ${typeHelp}.
[] makes a list (tags:string[]), and ? at the end makes a field optional. Quote |, > and ? for the shell.
The generated modules and contracts/events.json are updated too.`;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { plural: { type: "string" } });
  const [kind, ...rest] = positionals;
  if (values.plural !== undefined && kind !== "resource") throw new UsageError("--plural is an option of: new resource");
  if (kind === "service") tellNext(await newService(rest));
  else {
    const added = await addedBy(kind, rest, values.plural);
    await addFiles(projectFolder, added.files);
    await completeFiles(projectFolder, added.files, (name) => [join(import.meta.dir, `${name}.ts`)]);
    tellNext(added.next);
  }
  return 0;
});

async function addedBy(kind: string | undefined, words: readonly string[], plural: string | undefined): Promise<Added> {
  if (kind === "resource") return newResource(words, plural);
  if (kind === "action") return newAction(words);
  if (kind === "consumer") return newConsumer(words);
  throw new UsageError(`${kind === undefined ? "Missing kind" : `Unknown kind "${kind}"`}: use resource, action, consumer or service.`);
}

function tellNext(next: Added["next"]): void {
  const width = Math.max(...next.map(([command]) => command.length));
  console.log(["", "Next:", ...next.map(([command, purpose]) => `  ${command.padEnd(width)}   # ${printable(purpose)}`)].join("\n"));
}
