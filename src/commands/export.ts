import { readConfig } from "../config/config";
import { counted } from "../observe/amounts";
import { parseWords, runCommand } from "../observe/command-line";
import { tell } from "../observe/terminal";
import { openRecords } from "../store/open";
import type { Stored } from "../store/stored";
import { Trouble } from "./command";
import { namedResource } from "./known-resource";
import { ProgressReport } from "./progress";

const help = `Writes all records of a resource to standard output, as lines of JSON, in the order of their ids.

  bun run export item > items.ndjson

Options:
  --help    print this help

Works whether or not the API runs. A record that is changed meanwhile is written once, in its state before or after.
\`bun run import item < items.ndjson\` reads the lines. Finds the database by DATABASE_URL, as the API does.
Exit codes: 0 done, 1 failed, 2 wrong usage.`;

/** Maximum number of records in memory. */
const batch = 200;

await runCommand(help, async (words) => {
  const { positionals } = parseWords(words, {});
  const resource = await namedResource(positionals);
  const config = readConfig({ isTerminal: false, listens: false });
  const records = await openRecords(config);
  if (!records)
    throw new Trouble(
      `There is no database ${config.database.shown}. The API creates it when it starts. Check that DATABASE_URL is correct.`,
    );
  const progress = new ProgressReport("record");
  let count = 0;
  try {
    const end = await records.lastId(resource);
    for (let after = 0; ; ) {
      const found = (await records.read(resource, after, batch)).filter(({ id }) => id <= end);
      const last = found.at(-1);
      if (!last) break;
      await write(found);
      after = last.id;
      count += found.length;
      progress.update(after / end, count);
    }
  } finally {
    progress.end();
    records.close();
  }
  tell(`Exported ${counted(count, "record")} of ${resource.name}.`);
  return 0;
});

/** Resolves when standard output has taken the lines, so that a slow reader does not fill the memory. */
function write(records: readonly Stored[]): Promise<void> {
  const lines = records.map(({ json }) => `${json}\n`).join("");
  return new Promise((resolve, reject) => process.stdout.write(lines, (error) => (error ? reject(error) : resolve())));
}
