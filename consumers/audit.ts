import { type Difference, differences, messageOf, readTables, runCommand, UsageError } from "warren/command";
import { type ConsumerOptions, everyFlagHelp, readFlags, runConsumer, type Transaction } from "warren/consumer";
import { localTime, printable } from "warren/terminal";

const help = `Keeps the history of every record of every resource: what changed, when, and the old and new values.

  bun run consumers/audit.ts                   records every event, until Ctrl+C
  bun run consumers/audit.ts --show 42         prints the history of item 42, whether or not the audit runs
  bun run consumers/audit.ts --show order:42   prints the history of a record of another resource

Options:
  --show ID          id of an item, or RESOURCE:ID
  --json             --show: print each change as a line of JSON
${everyFlagHelp}

The history is in data/consumers/audit.db, which is append-only and has each event once. Only the history of a record that is erased is deleted. Ctrl+C finishes the events in
progress and stops.`;

/** Triggers make SQLite refuse changes and deletions, and ignore an event that is already stored. */
const schema = [
  `CREATE TABLE IF NOT EXISTS history (
     event TEXT PRIMARY KEY, resource TEXT NOT NULL, record INTEGER NOT NULL, version INTEGER NOT NULL,
     change TEXT NOT NULL, time TEXT NOT NULL, state TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS history_of_record ON history (resource, record, version)",
  `CREATE TRIGGER IF NOT EXISTS history_not_changed BEFORE UPDATE ON history
   BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END`,
  `CREATE TRIGGER IF NOT EXISTS history_not_removed BEFORE DELETE ON history
   BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END`,
  // The inbox keeps an event for a week only, and a forced replay ignores the inbox.
  `CREATE TRIGGER IF NOT EXISTS history_not_doubled BEFORE INSERT ON history
   WHEN EXISTS (SELECT 1 FROM history WHERE event = NEW.event) BEGIN SELECT RAISE(IGNORE); END`,
  "CREATE TABLE IF NOT EXISTS actors (event TEXT PRIMARY KEY, actor TEXT NOT NULL) STRICT, WITHOUT ROWID",
];

const onlyAppended = schema.filter((sql) => sql.startsWith("CREATE TRIGGER"));

/** Deletes the history of an erased record. The triggers are back before the transaction ends. */
async function forget(tx: Transaction, resource: string, record: number): Promise<void> {
  for (const sql of onlyAppended) await tx.run(`DROP TRIGGER ${/EXISTS (\w+)/.exec(sql)?.[1]}`);
  await tx.run("DELETE FROM actors WHERE event IN (SELECT event FROM history WHERE resource = ? AND record = ?)", resource, record);
  await tx.run("DELETE FROM history WHERE resource = ? AND record = ?", resource, record);
  for (const sql of onlyAppended) await tx.run(sql);
}

/** The consumer. Writes through `tx` commit in the same transaction that marks the event as done. */
export const audit = {
  queue: "audit",
  events: ["#", "*.erased"],
  description: "Keeps the history of every record: what changed, when, and the old and new values.",
  exactlyOnce: true,
  async setup(tx) {
    for (const sql of schema) await tx.run(sql);
  },
  async handle(event, { tx }) {
    const [resource = "", change = ""] = event.type.split(".");
    const record = (event as unknown as Record<string, { id: number; version: number }>)[resource];
    if (!record) throw new TypeError(`Missing "${resource}" in ${event.type} ${event.id}`);
    if (change === "erased") return forget(tx, resource, record.id);
    const row = [event.id, resource, record.id, record.version, change, event.timestamp, JSON.stringify(record)];
    await tx.run("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    if (event.actor !== undefined) await tx.run("INSERT OR IGNORE INTO actors VALUES (?, ?)", event.id, event.actor);
  },
} satisfies ConsumerOptions<"#" | "*.erased">;

/** A row of the history. For a deletion, `state` and `version` are those of the deleted record. */
interface Row {
  readonly event: string;
  readonly version: number;
  readonly change: string;
  readonly time: string;
  /** Who made the change, or null if unknown. */
  readonly actor: string | null;
  readonly state: string;
}

interface Change extends Omit<Row, "state"> {
  /** The first and last of the versions missing from the history just before this one, or null if none is missing. */
  readonly missing: readonly [number, number] | null;
  readonly changed: readonly Difference[];
}

/** Returns the changes of a record, oldest first, or undefined if the history has no event of it. */
async function historyOf(resource: string, record: number): Promise<Change[] | undefined> {
  const tables = await readTables("audit");
  // A history from before actors were recorded has no table of them.
  const actor = (await tables?.has("actors")) ? "(SELECT actor FROM actors WHERE actors.event = history.event)" : "NULL";
  const order = "ORDER BY version, change = 'deleted', event";
  const rows =
    tables && (await tables.has("history"))
      ? await tables.all<Row>(`SELECT *, ${actor} AS actor FROM history WHERE resource = ? AND record = ? ${order}`, resource, record)
      : [];
  await tables?.close();
  let known = 0;
  let before: object | undefined;
  const changes = rows.map(({ event, version, change, time, actor, state }): Change => {
    const deleted = change === "deleted";
    const last = JSON.parse(state) as object;
    const due = deleted ? version : version - 1;
    const missing = known < due ? ([known + 1, due] as const) : null;
    const changed = deleted ? differences(last, undefined) : differences(before, last);
    known = version;
    before = deleted ? undefined : last;
    return { event, time, actor, change, version, missing, changed };
  });
  return changes.length === 0 ? undefined : changes;
}

async function readHistory(resource: string, record: number): Promise<Change[] | undefined> {
  try {
    return await historyOf(resource, record);
  } catch (error) {
    throw new Error(`Cannot read the history. ${messageOf(error)}`);
  }
}

/** Returns a line for the change, followed by a line for each removed and added value. */
function describe({ time, actor, change, version, missing, changed }: Change, colour: boolean): string[] {
  const side = (sign: string, paint: number, field: string, value: unknown) => {
    const text = printable(`  ${sign} ${field}: ${JSON.stringify(value)}`);
    return colour ? `\x1b[${paint}m${text}\x1b[0m` : text;
  };
  const [first, last] = missing ?? [];
  return [
    ...(missing ? [first === last ? `(version ${first} is missing)` : `(versions ${first} to ${last} are missing)`] : []),
    `${localTime(new Date(time))} ${change}, version ${version}${actor === null ? "" : `, by ${printable(actor)}`}`,
    ...changed.flatMap(({ field, ...value }) => [
      ...("from" in value ? [side("-", 31, field, value.from)] : []),
      ...("to" in value ? [side("+", 32, field, value.to)] : []),
    ]),
    ...(changed.length === 0 ? ["  no differences"] : []),
  ];
}

async function show(id: string | undefined, asJson: boolean): Promise<number> {
  if (id === undefined) throw new UsageError("--json requires --show.");
  const [, resource = "item", record] = /^(?:([a-z][a-z0-9_]*):)?([1-9]\d{0,14})$/.exec(id) ?? [];
  if (!record) throw new UsageError(`"${id}" is not a record. Use the id of an item, such as 42, or RESOURCE:ID, such as order:42.`);
  const changes = await readHistory(resource, Number(record));
  if (!changes) throw new Error(`There is no history of ${resource} ${record}.`);
  const colour = process.stdout.isTTY && Bun.enableANSIColors;
  const lines = changes.flatMap((change) => (asJson ? printable(JSON.stringify(change)) : describe(change, colour)));
  console.log((asJson ? lines : [`${resource} ${record}`, ...lines]).join("\n"));
  return 0;
}

if (import.meta.main) {
  const flags = readFlags(help, { show: { type: "string" }, json: { type: "boolean", default: false } });
  if (flags.show === undefined && !flags.json)
    await runConsumer({ ...audit, onReady: () => console.log("The audit is running. Press Ctrl+C to exit.") }, flags);
  await runCommand(help, () => show(flags.show, flags.json));
}
